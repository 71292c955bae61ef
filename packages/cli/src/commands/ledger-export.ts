// seconder ledger export: verified entries as lines for a SIEM, from where the last export ended.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { OcsfEvents } from '../export/ocsf.ts'
import { type VerifiedEntry, VerifiedLedger } from '../export/verified-ledger.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { parseEntry } from '../ledger-folder.ts'
import { StepProgress } from '../render/step-progress.ts'
import { note } from '../render/terminal.ts'
import { timeOption } from '../time-option.ts'
import { wholeNumber } from '../whole-number.ts'

const FORMATS = ['jsonl', 'ocsf'] as const
/** How often a followed log is looked at, in milliseconds. */
const FOLLOW_MS = 1_000
const INDEX_MAX = 999_999_999

interface ExportOptions {
  readonly format: (typeof FORMATS)[number]
  readonly key?: string
  readonly since?: string
  readonly until?: string
  readonly after?: number
  readonly cursor?: string
  readonly follow?: boolean
}

const EXAMPLES = `
One JSON object a line on standard output; on standard error, at the end, the index of the last entry that was
looked at, to go on with by --after. --cursor FILE keeps that index and the entry's hash: the next export goes on
there, and fails where the log is not the one that was exported before.

The whole log is verified first, and nothing is printed of one that does not verify (exit code 1, \`ledger_unverified\`).
With --follow what is published later is verified before it is printed. A ledger holds no secret, token or body, so
neither does its export; it does hold names, ARNs and what people signed.

  jsonl   index, hash (its leaf in the Merkle tree) and the entry as it stands in the log
  ocsf    OCSF 1.9.0: API Activity (6003) for calls, Authorize Session (3003), Entity Management (3004),
          User Management (3007) and Authentication (3002) for the rest

Examples:
  seconder ledger export .seconder/ledger > ledger.jsonl
  seconder ledger export .seconder/ledger --format ocsf --since 24h
  seconder ledger export .seconder/ledger --after 18211
  seconder ledger export .seconder/ledger --format ocsf --follow --cursor /var/lib/siem/seconder.cursor | vector --config siem.yaml
`

export function addExportCommand(ledger: Command): void {
  ledger
    .command('export <dir>')
    .description('verified entries as lines, for a SIEM')
    .addOption(
      new Option('--format <form>', 'what a line is').choices([...FORMATS]).default('jsonl'),
    )
    .option('--key <vkey>', 'public key of the ledger, or a file with it (default: DIR.vkey)')
    .option('--since <time>', 'a date, a time, or how long ago: 2025-12-14, 24h, 7d', timeOption)
    .option('--until <time>', 'the same', timeOption)
    .option('--after <index>', 'only entries after this one', wholeNumber(0, INDEX_MAX))
    .option(
      '--cursor <file>',
      'go on after the entry kept in this file, and keep the last one there',
    )
    .option('--follow', 'go on with what is recorded later, until it is stopped')
    .addHelpText('after', EXAMPLES)
    .action(run)
}

/** The last entry that was handed on. */
interface Cursor {
  readonly index: number
  /** Its leaf hash; null where only its number is known. */
  readonly hash: string | null
}

async function run(folder: string, options: ExportOptions): Promise<void> {
  const after = startOf(options)
  const progress = new StepProgress()
  const ledger = await VerifiedLedger.open(folder, {
    key: options.key,
    follow: options.follow,
    onProgress: (done, of) => progress.see('entries verified', done, of),
  }).finally(() => progress.end())
  if (after !== null && after.index >= ledger.size) throw otherLog(after, ledger.size)
  const lines = new Lines(options, after)
  let isStopped = false
  const stop = () => {
    isStopped = true
  }
  if (options.follow)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  try {
    do {
      for await (const entry of ledger.entries()) {
        await lines.take(entry)
        if (isStopped) break
      }
      await lines.keep()
      while (options.follow && !isStopped && !(await ledger.goOn())) await setTimeout(FOLLOW_MS)
    } while (options.follow && !isStopped)
  } finally {
    await lines.keep()
  }
  lines.say()
}

function startOf({ after, cursor }: ExportOptions): Cursor | null {
  if (after !== undefined && cursor !== undefined) {
    const help = 'give one of them'
    throw new CommandFailure(
      'bad_option',
      '--after and --cursor both say where to begin',
      help,
      EXIT.usage,
    )
  }
  if (after !== undefined) return { index: after, hash: null }
  if (cursor === undefined || !existsSync(cursor)) return null
  const found = /^(\d{1,9}) ([0-9a-f]{64})\n$/.exec(readFileSync(cursor, 'utf8').slice(0, 200))
  if (found !== null) return { index: Number(found[1]), hash: found[2] as string }
  const help = 'remove it to export everything again, or name another file'
  throw new CommandFailure(
    'bad_cursor',
    `\`${cursor}\` is no cursor of an export`,
    help,
    EXIT.usage,
  )
}

function otherLog({ index }: Cursor, size: number | null): CommandFailure {
  const why = size === null ? 'has another entry there' : `ends before it, at ${size} entries`
  return new CommandFailure(
    'ledger_not_continued',
    `entry ${index} was exported, and the log ${why}`,
    'it was cut short or replaced: compare it with a checkpoint you kept, by `seconder ledger consistency`',
  )
}

/** Turns entries into lines and remembers the last one. */
class Lines {
  readonly #options: ExportOptions
  readonly #after: Cursor | null
  readonly #events = new OcsfEvents()
  #last: Cursor | null
  #kept = -1
  #count = 0

  constructor(options: ExportOptions, after: Cursor | null) {
    this.#options = options
    this.#after = after
    this.#last = after
    if (after !== null) this.#kept = after.index
  }

  async take(entry: VerifiedEntry): Promise<void> {
    const { index, hash, text } = entry
    // Every one is taken: later events name what earlier entries said.
    const event = this.#options.format === 'ocsf' ? this.#events.take(entry) : null
    if (this.#after !== null && index <= this.#after.index) {
      const expected = index === this.#after.index ? this.#after.hash : null
      if (expected !== null && expected !== hash) throw otherLog(this.#after, null)
      return
    }
    const { since = '', until = '\uffff' } = this.#options
    const parsed = parseEntry(text)
    if (parsed.at >= since && parsed.at <= until) {
      await written(
        JSON.stringify(event ?? Object.assign({ index, hash }, parsed, { index, hash })),
      )
      this.#count++
    }
    this.#last = { index, hash }
  }

  /** Only what was handed on is kept, so that a crash repeats lines and leaves none out. */
  async keep(): Promise<void> {
    const { cursor } = this.#options
    if (cursor === undefined || this.#last?.hash == null || this.#last.index === this.#kept) return
    await flushed()
    const { index, hash } = this.#last
    writeFileSync(`${cursor}.new`, `${index} ${hash}\n`, { mode: 0o600, flush: true })
    renameSync(`${cursor}.new`, cursor)
    this.#kept = index
  }

  say(): void {
    const last = this.#last === null ? 'nothing yet' : `--after ${this.#last.index}`
    note(`exported ${this.#count} entries, verified; go on with ${last}`)
  }
}

/** Waits where the reader is slower, so that nothing piles up. */
function written(line: string): Promise<void> {
  if (process.stdout.write(`${line}\n`)) return Promise.resolve()
  return new Promise((resolve) => process.stdout.once('drain', resolve))
}

function flushed(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => resolve()))
}
