// What the figures were measured on: the machine, the runtime and the versions of both sides. No
// name of the machine and no path of it.
import { execFileSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import os from 'node:os'
import { freshCedar } from '@seconder/gateway/decide/fresh-cedar'

/** Linux `statfs(2)`: what is kept in memory has no disk to wait for. */
const IN_MEMORY: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
])

/** A load over this for each core says that others are at work. */
const BUSY_LOAD_OF_CORE = 0.5

const PACKAGES = ['aws', 'cli', 'gateway', 'ledger', 'replay']

export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly load: readonly number[]
  readonly disk: string
  readonly versions: Readonly<Record<string, string>>
}

/** The facts of this machine; `scratch` is where the durable benches will write. */
export function machineFacts(scratch: string): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    load: os.loadavg().map((value) => Math.round(value * 100) / 100),
    disk: IN_MEMORY.get(statfsSync(scratch).type) ?? 'a disk',
    versions: versions(),
  }
}

function versions(): Record<string, string> {
  const packaged = (file: URL) =>
    (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  return {
    seconder: commit(),
    node: process.versions.node,
    openssl: process.versions.openssl,
    'node:sqlite': process.versions['sqlite'] ?? 'unknown',
    'cedar-wasm': freshCedar().getCedarVersion(),
    ...Object.fromEntries(
      PACKAGES.map((name) => [
        `@seconder/${name}`,
        packaged(new URL(`../../packages/${name}/package.json`, import.meta.url)),
      ]),
    ),
    nginx: firstLine('nginx', ['-v'], /nginx\/(\S+)/),
    jq: firstLine('jq', ['--version'], /jq-(\S+)/),
    mitmproxy: firstLine('mitmdump', ['--version'], /Mitmproxy: (\S+)/),
  }
}

function commit(): string {
  const head = firstLine('git', ['rev-parse', '--short', 'HEAD'], /^(\S+)/)
  const isClean = firstLine('git', ['status', '--porcelain'], /(\S)/) === 'not found'
  return isClean ? head : `${head} with local changes`
}

/** What a command says of itself on either stream, or `not found`. */
function firstLine(command: string, args: readonly string[], pattern: RegExp): string {
  try {
    const shell = 'exec "$0" "$@" 2>&1'
    const options = { encoding: 'utf8', cwd: import.meta.dirname } as const
    const said = execFileSync('sh', ['-c', shell, command, ...args], options)
    return pattern.exec(said)?.[1] ?? 'not found'
  } catch {
    return 'not found' // a peer that is not installed is skipped, and the section says so
  }
}

/** The machine as lines of text. */
export function machineLines(machine: Machine): string[] {
  const { cpu, cores, memoryGiB, system, load, disk } = machine
  const named = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `date      ${machine.date}`,
    `machine   ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; scratch on ${disk}`,
    `load      ${load.join(' ')} before the run (1, 5, 15 minutes)${busyWords(machine)}`,
    `versions  ${named.join(' · ')}`,
    '',
  ]
}

/** Others at work take from both sides, but not equally: sleeping and waking cost more then. */
function busyWords({ load, cores }: Machine): string {
  const isBusy = (load[0] ?? 0) > cores * BUSY_LOAD_OF_CORE
  return isBusy ? '; NOT A QUIET MACHINE: read the ratios with care' : ''
}
