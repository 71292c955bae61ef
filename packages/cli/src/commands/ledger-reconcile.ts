// seconder ledger reconcile: a ledger and CloudTrail held against each other, both ways. What stands alone on
// either side is a finding with its evidence. Nothing is sent anywhere.
import { inertJson } from '@seconder/replay/incident/json'
import { LedgerSide } from '@seconder/replay/reconcile/ledger-side'
import { reconcile } from '@seconder/replay/reconcile/reconcile'
import {
  FINDINGS,
  type FindingCode,
  type Reconciliation,
} from '@seconder/replay/reconcile/reconciliation'
import { reconciliationLines } from '@seconder/replay/reconcile/terminal'
import { trailWindow } from '@seconder/replay/trail/window'
import { type Command, InvalidArgumentError } from 'commander'
import { EXIT } from '../failure.ts'
import { verifyLedgerFolder } from '../ledger-folder.ts'
import { note, print, toned } from '../render/terminal.ts'
import { timeOption } from '../time-option.ts'

interface ReconcileOptions {
  readonly trail: readonly string[]
  readonly ledger: string
  readonly key?: string
  readonly since?: string
  readonly until?: string
  readonly gate?: string
  readonly failOn?: readonly (FindingCode | 'any')[]
  readonly json?: boolean
}

const EXAMPLES = `
Findings: ${Object.keys(FINDINGS).join(', ')}.
Exit codes: 0 done, 1 the ledger does not verify or --fail-on met a finding, 2 usage.

Examples:
  seconder ledger reconcile --trail trails/
  seconder ledger reconcile --ledger .seconder/ledger --trail trails/ --since 24h --fail-on any
  seconder ledger reconcile --trail trails/ --fail-on change_without_intent,not_of_the_gate --json
`

export function addReconcileCommand(ledger: Command): void {
  ledger
    .command('reconcile')
    .description('hold the ledger against CloudTrail, both ways; what stands alone is a finding')
    .requiredOption('--trail <path...>', 'files and folders of CloudTrail')
    .option('--ledger <dir>', "the ledger's folder", '.seconder/ledger')
    .option('--key <vkey>', 'public key of the ledger, or a file with it (default: DIR.vkey)')
    .option('--since <time>', 'events from here on: 2025-12-14, 24h, 7d', timeOption)
    .option('--until <time>', 'the same; default: the end of the trail', timeOption)
    .option(
      '--gate <arn>',
      "a part of the gate's own principal, where it calls under its own rights",
    )
    .option('--fail-on <codes>', 'end with 1 on these findings, or `any`', failOn)
    .option('--json', 'as JSON')
    .addHelpText('after', EXAMPLES)
    .action(run)
}

async function run(options: ReconcileOptions): Promise<void> {
  let side = new LedgerSide()
  const { report } = await verifyLedgerFolder(options.ledger, {
    key: options.key,
    onEntry: (index, text, hash) => {
      // The ledger of a running gate may be read more than once.
      if (index === 0) side = new LedgerSide()
      side.take(index, text, hash)
    },
  })
  const { since = '', until = '' } = options
  const trail = await trailWindow(options.trail, { since, until })
  const found = reconcile({
    ledger: side,
    trail,
    verified: report.ok,
    entries: report.size,
    gatePrincipal: options.gate ?? '',
    since,
    until,
  })
  if (options.json) print(inertJson(found))
  else for (const line of reconciliationLines(found, { toned })) print(line)
  for (const { path, fault } of trail.faults)
    note(`${path}: ${fault}; what was whole in it was read`)
  if (trail.dropped + side.dropped > 0) note('Not all was compared: ask for a shorter window.')
  if (!report.ok || meets(found, options.failOn ?? [])) process.exitCode = EXIT.failed
}

function meets({ counts }: Reconciliation, wanted: readonly (FindingCode | 'any')[]): boolean {
  return Object.keys(counts).some((code) => wanted.some((one) => one === 'any' || one === code))
}

function failOn(text: string): (FindingCode | 'any')[] {
  return text.split(',').map((word) => {
    const code = word.trim()
    if (code === 'any' || isCode(code)) return code
    throw new InvalidArgumentError(`write any, or some of ${Object.keys(FINDINGS).join(', ')}`)
  })
}

function isCode(code: string): code is FindingCode {
  return Object.hasOwn(FINDINGS, code)
}
