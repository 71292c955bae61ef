// seconder ledger verify|show|export|reconcile: the log checked from its files and public key alone, and read.

import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import type { VerifyReport } from '@seconder/ledger/verify'
import { inertJson } from '@seconder/replay/incident/json'
import type { Command } from 'commander'
import { anchored } from '../anchored.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { type LedgerEntry, verifyLedgerFolder } from '../ledger-folder.ts'
import { note, print, table, toned } from '../render/terminal.ts'
import type { WitnessedEnd } from '../seen-by-witnesses.ts'
import { wholeNumber } from '../whole-number.ts'
import { addConsistencyCommand } from './ledger-consistency.ts'
import { addExportCommand } from './ledger-export.ts'
import { addReconcileCommand } from './ledger-reconcile.ts'
import { addRedactCommand } from './ledger-redact.ts'
import { addWitnessCommand } from './ledger-witness.ts'

/** Progress is shown on a terminal, at most this often, in milliseconds. */
const PROGRESS_MS = 200

interface VerifyCommandOptions {
  readonly key?: string
  readonly since?: string
  readonly anchor?: readonly string[]
  readonly witness?: readonly string[]
  readonly threshold?: string
  readonly json?: boolean
}

export function addLedgerCommands(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('the tamper-evident log of everything that was asked and done')
  ledger
    .command('verify <dir>')
    .description(
      'verify the log from its files and public key; fails naming the file and the entry',
    )
    .option('--key <vkey>', 'public key of the ledger, or a file with it (default: DIR.vkey)')
    .option('--since <file>', 'a checkpoint you kept: also catches a rollback')
    .option('--anchor <place...>', 'files, git repositories or s3://BUCKET/PREFIX of `anchors:`')
    .option('--witness <vkey...>', 'public keys of witnesses, or files with them')
    .option('--threshold <n>', 'how many of them must have cosigned (default: all)')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      [
        '',
        'Example:',
        '  seconder ledger verify .seconder/ledger',
        '  seconder ledger verify .seconder/ledger --witness w1.vkey w2.vkey --threshold 1',
        '  cp .seconder/ledger/checkpoint kept.checkpoint   # keep one elsewhere',
        '  seconder ledger verify .seconder/ledger --since kept.checkpoint',
        '  seconder ledger verify s3://BUCKET/PREFIX --key ledger.vkey   # or https://HOST/PATH',
        '  seconder ledger verify .seconder/ledger --anchor s3://checkpoints-of-others/gate',
        '',
      ].join('\n'),
    )
    .action(verify)
  ledger
    .command('show <dir>')
    .description('list the entries')
    .option('--key <vkey>', 'public key of the ledger, or a file with it (default: DIR.vkey)')
    .option('--last <n>', 'only the last n', wholeNumber(1, 1_000_000), 50)
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExample:\n  seconder ledger show .seconder/ledger --last 20\n')
    .action(show)
  addExportCommand(ledger)
  addReconcileCommand(ledger)
  addConsistencyCommand(ledger)
  addRedactCommand(ledger)
  addWitnessCommand(ledger)
}

async function verify(folder: string, options: VerifyCommandOptions): Promise<void> {
  let shownMs = 0
  const onProgress = (done: number, of: number) => {
    if (!process.stderr.isTTY || Date.now() - shownMs < PROGRESS_MS) return
    shownMs = Date.now()
    process.stderr.write(`\rverifying ${done} of ${of} entries`)
  }
  const places = await Promise.all((options.anchor ?? []).map(anchored))
  const { report, witnessed, dropped, payloadsRead } = await verifyLedgerFolder(folder, {
    key: options.key,
    since: options.since,
    anchored: places.flatMap(({ notes }) => notes),
    witnesses: witnessesOf(options),
    keep: 0,
    onProgress,
  })
  if (shownMs > 0) process.stderr.write('\r\u001b[K')
  if (!report.ok) process.exitCode = EXIT.failed
  const { rootHash, ...facts } = report
  const root = Buffer.from(rootHash).toString('hex')
  if (options.json) {
    const anchors = places.map(({ place, notes, count }) => ({ place, read: notes.length, count }))
    print(inertJson({ ...facts, root, witnessed, anchors, dropped, payloadsRead }))
    return
  }
  for (const { file, entry, code, message } of report.problems) {
    print(
      `${toned('red', 'WRONG')} ${escapeUntrusted(file)}${entry === undefined ? '' : ` entry ${entry}`}: ${escapeUntrusted(message, 1_200)} (${code})`,
    )
  }
  for (const { file, message } of report.unfinished) {
    print(`note  ${escapeUntrusted(file)}: ${escapeUntrusted(message, 1_200)}`)
  }
  if (report.ok)
    print(
      `${toned('green', 'ok')} ${report.size} entries, ${payloadsWords(report, dropped, payloadsRead)}, root ${root.slice(0, 16)}…`,
    )
  for (const { place, notes, count } of places) {
    print(`anchor ${place}: compared with ${notes.length} of the ${count} checkpoints kept there`)
  }
  print(endWords(report, witnessed))
}

function payloadsWords({ payloads }: VerifyReport, dropped: number, areRead: boolean): string {
  const counted = areRead
    ? `${payloads} payloads`
    : 'payloads there but not read, as over https they are not listed'
  return `${counted}${dropped > 0 ? ` (${dropped} dropped, as entries say)` : ''}`
}

function witnessesOf({ witness: keys, threshold }: VerifyCommandOptions) {
  if (keys === undefined) return undefined
  const count = threshold === undefined ? keys.length : Number(threshold)
  if (Number.isInteger(count) && count >= 1 && count <= keys.length) {
    return { keys, threshold: count }
  }
  const help = `give a number from 1 to ${keys.length}, the witnesses you named`
  throw new CommandFailure('usage', `\`${threshold}\` is no threshold`, help, EXIT.usage)
}

/** What can be said of the log's end: nobody inside it can vouch for that. */
function endWords({ ok, rollback }: VerifyReport, witnessed: WitnessedEnd | null): string {
  if (rollback !== 'checked') {
    return 'A rollback cannot be seen without --since, --anchor or --witness: nobody outside this machine vouches for the end of this log.'
  }
  if (!ok) return 'It was compared with what was seen before; what is wrong is said above.'
  if (witnessed === null) {
    return 'The log goes on from every checkpoint it was compared with: nothing before it was changed or cut off.'
  }
  const by = witnessed.by.map(
    ({ name, atSeconds }) => `${name} at ${new Date(atSeconds * 1000).toISOString()}`,
  )
  return `The log is complete up to entry ${witnessed.size}, as seen by ${by.join(', ')}.`
}

async function show(
  folder: string,
  options: { key?: string; last: number; json?: boolean },
): Promise<void> {
  const { report, entries } = await verifyLedgerFolder(folder, { key: options.key })
  const first = Math.max(0, entries.length - options.last)
  const shown = entries.slice(first)
  if (options.json) {
    for (const [index, entry] of shown.entries())
      print(JSON.stringify({ index: first + index, ...entry }))
  } else {
    print(
      table(
        ['entry', 'time (UTC)', 'what', 'who', 'about'],
        shown.map((entry, index) => rowOf(first + index, entry)),
      ),
    )
  }
  if (report.ok) return
  note('The log does not verify; see `seconder ledger verify`.')
  process.exitCode = EXIT.failed
}

function rowOf(index: number, entry: LedgerEntry): string[] {
  const text = (name: string) => (typeof entry[name] === 'string' ? String(entry[name]) : '')
  const who = text('reviewer') || text('operator') || text('by')
  const outcome = entry['outcome'] as
    | { result?: string; confirmed?: string; detail?: string }
    | undefined
  const about = [
    text('operation') || text('verdict') || text('code') || text('state'),
    outcomeWords(outcome),
    text('request').slice(0, 8),
  ]
  return [
    String(index),
    entry.at.slice(0, 19).replace('T', ' '),
    entry.type,
    who,
    about.filter((word) => word !== '').join(' '),
  ]
}

/** `accepted`; `confirmed: failed (DELETE_FAILED)` for the second outcome of what was accepted. */
function outcomeWords(
  outcome: { result?: string; confirmed?: string; detail?: string } | undefined,
): string {
  if (outcome?.confirmed === undefined) return outcome?.result ?? ''
  return `confirmed: ${outcome.confirmed} (${escapeUntrusted(outcome.detail ?? '', 80)})`
}
