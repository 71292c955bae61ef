// What the two runs measured, side by side, and whether it is what the demo claims. A claim that the
// figures do not bear out is named, and the demo ends with exit code 1.
import type { LedgerFigures } from './gate.ts'
import type { RunFigures } from './incident.ts'
import type { RequestFigures } from './request-watch.ts'

export interface Report {
  readonly unsafe: RunFigures
  readonly safe: RunFigures & { readonly requests: readonly RequestFigures[] }
  readonly ledger: LedgerFigures
  /** Folder of the incident reports, which stays when the demo has ended. */
  readonly reports: string
}

/** The claims that the figures do not bear out, in words; empty when all hold. */
export function unmet({ unsafe, safe, ledger }: Report): readonly string[] {
  const signed = safe.requests.flatMap(({ reviewers }) => reviewers).length
  const claims: readonly (readonly [boolean, string])[] = [
    [unsafe.stackDeleted, 'without Seconder the stack should have been deleted, and was not'],
    [unsafe.failedProbes > 0, 'without Seconder customers should have got errors, and got none'],
    [unsafe.outageSeconds > 0, 'without Seconder there should have been an outage to time'],
    [!safe.stackDeleted, 'with Seconder the stack was deleted'],
    [safe.failedProbes === 0, `with Seconder ${safe.failedProbes} customer requests failed`],
    [safe.objectsLost === 0, `with Seconder ${safe.objectsLost} exports were lost`],
    [safe.bugFixed, 'with Seconder August is still wrong'],
    [signed > 0, 'with Seconder nobody reviewed anything'],
    [ledger.verified, 'the ledger does not verify'],
  ]
  return claims.filter(([holds]) => !holds).map(([, words]) => words)
}

/** Lines of the table that compares the runs. */
export function comparison({ unsafe, safe, ledger }: Report): readonly string[] {
  const signed = safe.requests.flatMap(({ reviewers }) => reviewers)
  const who = [...new Set(signed.map(({ reviewer }) => reviewer))].join(', ')
  const verified = ledger.verified ? 'verified' : 'DOES NOT VERIFY'
  const rows = [
    ['', 'without Seconder', 'with Seconder'],
    ['failed requests', failures(unsafe), failures(safe)],
    ['outage', outage(unsafe), outage(safe)],
    ['data lost', loss(unsafe), loss(safe)],
    ['August', bug(unsafe), bug(safe)],
    ['reviews', 'none', signed.length === 0 ? 'none' : `${signed.length}, signed by ${who}`],
    ['ledger', 'none', `${ledger.entries} entries, ${verified}`],
  ]
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  )
}

function failures({ failedProbes, totalProbes }: RunFigures): string {
  return `${failedProbes} of ${totalProbes}`
}

function outage({ failedProbes, outageSeconds }: RunFigures): string {
  return failedProbes === 0 ? 'none' : `${outageSeconds.toFixed(1)} s`
}

function loss({ objectsLost, settingsLost, objectsRestored }: RunFigures): string {
  if (objectsLost + settingsLost === 0) return 'none'
  const back = objectsRestored > 0 ? ' (had a copy)' : ''
  return `${objectsLost} exports, ${settingsLost} settings${back}`
}

function bug({ bugFixed }: RunFigures): string {
  return bugFixed ? 'right' : 'still wrong'
}
