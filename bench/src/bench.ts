// `npm run bench`: what the project's parts do here, beside what others do here, in one run. Prints
// the machine, the versions and both sides as a ratio; fails only where a bench could not run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { decideBench } from './decide-bench.ts'
import { describeBench } from './describe-bench.ts'
import { gateBench } from './gate-bench.ts'
import { iamBench } from './iam-bench.ts'
import { ledgerBench } from './ledger-bench.ts'
import { machineFacts, machineLines } from './machine.ts'
import { replayBench } from './replay-bench.ts'
import { replayLargeBench } from './replay-large-bench.ts'
import type { Bench, Section } from './result.ts'
import { reviewBench } from './review-bench.ts'
import { sectionLines } from './table.ts'

const BENCHES: Readonly<Record<string, Bench>> = {
  gate: gateBench,
  describe: describeBench,
  decide: decideBench,
  iam: iamBench,
  ledger: ledgerBench,
  replay: replayBench,
  'replay-large': replayLargeBench,
  review: reviewBench,
}
/** Only where it is named, or with `--all`: it takes minutes. */
const LONG = new Set(['review', 'replay-large'])

const HELP = `npm run bench -- [--only NAME,...] [--seconds N] [--rounds N] [--all] [--scratch DIR] [--json FILE]

  --only NAME,...  of ${Object.keys(BENCHES).join(', ')}; without it all but ${[...LONG].join(', ')}
  --seconds N      length of one slot of one side (0.8; 0.1 to 60)
  --rounds N       rounds of all sides in turn (3; 1 to 99)
  --all            also review, 10,000 policies, and replay over 1.6 and 50 million events: long
  --scratch DIR    a folder on the disk to measure; without it the system's temporary folder
  --json FILE      writes every figure there as JSON

Example: npm run bench -- --only gate --seconds 5
`

const EXIT_USAGE = 2

interface Asked {
  readonly names: readonly string[]
  readonly seconds: number
  readonly rounds: number
  readonly all: boolean
  readonly parent: string
  readonly json: string | null
}

/** What was asked for, or the words that say what is wrong with it. */
function asked(args: readonly string[]): Asked | string {
  const options = {
    only: { type: 'string' },
    seconds: { type: 'string', default: '0.8' },
    rounds: { type: 'string', default: '3' },
    all: { type: 'boolean', default: false },
    scratch: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
  try {
    values = parseArgs({ args: [...args], options, strict: true }).values
  } catch (cause) {
    return `${(cause as Error).message}\n\n${HELP}`
  }
  if (values.help) return HELP
  const usual = Object.keys(BENCHES).filter((name) => values.all || !LONG.has(name))
  const names = values.only?.split(',') ?? usual
  const stranger = names.find((name) => !Object.hasOwn(BENCHES, name))
  if (stranger !== undefined) return `there is no bench \`${stranger}\`\n\n${HELP}`
  const seconds = Number(values.seconds)
  const rounds = Number(values.rounds)
  if (!(seconds >= 0.1 && seconds <= 60)) return `--seconds is 0.1 to 60\n\n${HELP}`
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 99)) {
    return `--rounds is 1 to 99\n\n${HELP}`
  }
  const { all, json = null, scratch = tmpdir() } = values
  return { names, seconds, rounds, all, parent: scratch, json }
}

async function main(): Promise<number> {
  const wanted = asked(process.argv.slice(2))
  if (typeof wanted === 'string') {
    process.stderr.write(wanted)
    return wanted === HELP ? 0 : EXIT_USAGE
  }
  const { names, seconds, rounds, all, parent, json } = wanted
  const scratch = mkdtempSync(join(parent, 'seconder-bench-'))
  const begun = performance.now()
  const progress = (text: string) => {
    process.stderr.write(`${Math.round((performance.now() - begun) / 1000)} s  ${text}\n`)
  }
  try {
    const machine = machineFacts(scratch)
    print(machineLines(machine))
    const sections: Section[] = []
    for (const name of names) {
      const bench = BENCHES[name]
      if (bench === undefined) continue
      progress(`${name}: starting`)
      const section = await bench({ seconds, rounds, scratch, all, progress })
      print(sectionLines(section))
      sections.push(section)
    }
    const end = machineFacts(scratch).load
    const took = Math.round((performance.now() - begun) / 1000)
    print([`${took} s; slots of ${seconds} s, ${rounds} rounds; load ${end.join(' ')} at the end`])
    if (json !== null) {
      const report = { machine, loadAtEnd: end, seconds, rounds, sections }
      writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
    }
    return 0
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

process.exitCode = await main()
