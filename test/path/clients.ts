// The real clients that tests meet the gate with: every AWS CLI this machine has, told apart by what it
// says of itself, and a count of what reaches the gate's door. None of them is required; a test without
// one says in words that it skips.
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Harness, Keys } from './harness.ts'

export interface Cli {
  readonly path: string
  /** As printed by `--version`, e.g. `1.45.11`. */
  readonly version: string
  /** From before AWS_ENDPOINT_URL (v1 1.29, v2 2.13): it must be told by option, or by CONNECT mode. */
  readonly isOld: boolean
}

/** Where installers and version managers put an `aws` beside PATH. */
const WELL_KNOWN = [
  ...['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/snap/bin', '/opt/awscli/bin'],
  ...['/usr/local/aws-cli/v2/current/bin', join(homedir(), '.pyenv/shims')],
  join(homedir(), '.local/bin'),
]

function placesOf(program: string): readonly string[] {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...WELL_KNOWN]
  return [...new Set(folders.filter((each) => each !== '').map((each) => join(each, program)))]
}

/** The first program of this name that says, asked by `option`, what `accepts` takes. */
export function findProgram(
  program: string,
  accepts: (said: string) => boolean,
  option = '--version',
): string | undefined {
  return placesOf(program).find((path) => {
    if (!existsSync(path)) return false
    const { stdout, stderr, status } = spawnSync(path, [option], { encoding: 'utf8' })
    return status === 0 && accepts(`${stdout ?? ''}${stderr ?? ''}`)
  })
}

function findCli(major: 1 | 2): Cli | undefined {
  let version = ''
  const path = findProgram('aws', (said) => {
    version = /aws-cli\/(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? ''
    return version.startsWith(`${major}.`)
  })
  if (path === undefined) {
    console.warn(`skipped: no AWS CLI v${major} in PATH or the well-known places`)
    return undefined
  }
  const minor = Number(version.split('.')[1])
  return { path, version, isOld: minor < (major === 1 ? 29 : 13) }
}

export const CLIS: Readonly<Record<'v1' | 'v2', Cli | undefined>> = {
  v1: findCli(1),
  v2: findCli(2),
}

/**
 * Services for which CLI v1 puts a host of its own before AWS_ENDPOINT_URL, in some regions.
 * Source: awscli 1.45.11, awscli/customizations/overridesslcommonname.py
 */
const OWN_HOST = new Set(['sqs', 'emr', 'rds', 'docdb', 'neptune', 'health'])

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly endpoint: string
  readonly keys: Pick<Keys, 'accessKeyId' | 'secretAccessKey'>
  readonly env?: Readonly<Record<string, string>>
  readonly region?: string
  readonly input?: string
}

/** An empty home for clients, so that no configuration of this machine's user reaches a test. */
export class ClientHome {
  readonly folder = mkdtempSync(join(tmpdir(), 'seconder-cli-'))

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Runs the CLI with nothing but these keys; an old one gets the endpoint as an option. */
  run(cli: Cli, options: RunOptions, ...args: string[]): Promise<Ran> {
    const { endpoint, keys, region = 'eu-west-1' } = options
    const env = {
      HOME: this.folder,
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: this.path('config'),
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_PAGER: '',
      ...options.env,
    }
    const told =
      cli.isOld || OWN_HOST.has(args[0] ?? '') ? [...args, '--endpoint-url', endpoint] : args
    return new Promise((resolve) => {
      const child = execFile(
        cli.path,
        told,
        { env, cwd: this.folder, timeout: 100_000, maxBuffer: 16 * 1024 * 1024 },
        (error, out, err) =>
          resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
      )
      child.stdin?.end(options.input ?? '')
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Counts every request that the gate's door lets on to the path, or refuses unread. */
export function countAtDoor(gate: Harness): { taken(): number } {
  const { gateway } = gate.running.gate
  let count = 0
  const handle = gateway.handle.bind(gateway)
  const refuseUnread = gateway.refuseUnread.bind(gateway)
  gateway.handle = (received) => {
    count++
    return handle(received)
  }
  gateway.refuseUnread = (request, cause, caller) => {
    count++
    return refuseUnread(request, cause, caller)
  }
  return {
    taken() {
      const taken = count
      count = 0
      return taken
    },
  }
}

/** What breaks out of JSON, XML and terminals where it is not escaped. */
export const TRICKY = `a < b && "c" > 'd' ]]> <!-- é 日本 😀 {"k":1} \\n %41 &#65;`

/** The lab's policies, and one that denies all changes for the reason TRICKY. */
export class DenyingPolicies {
  readonly folder = mkdtempSync(join(tmpdir(), 'seconder-policies-'))

  constructor() {
    const lab = join(import.meta.dirname, '..', '..', 'lab', 'policies')
    cpSync(lab, this.folder, { recursive: true })
    const reason = JSON.stringify(TRICKY).replaceAll("'", "\\'")
    const rule = 'forbid (principal, action in Action::"change", resource);'
    writeFileSync(join(this.folder, 'closed.cedar'), `@id("closed")\n@reason(${reason})\n${rule}\n`)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
