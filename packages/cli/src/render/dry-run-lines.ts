// A dry run on a terminal: what would be different, the worst first, and what could not be told.
import type { Answered, Change, DryRunResult, Kind } from '@seconder/gateway/dry-run/dry-run'
import { KIND_WORDS } from '@seconder/gateway/dry-run/kind-words'
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import { requirementWords } from '@seconder/gateway/review/words'
import { table, toned } from './terminal.ts'

/** Rows that are shown; `--json` has all. */
const SHOWN_MAX = 40
const UNKNOWN_SHOWN_MAX = 10

export function dryRunLines(result: DryRunResult, digest: string): string[] {
  const { calls, changes, changesOmitted, unchanged } = result
  const lines = [headLine(result)]
  if (changes.length === 0)
    lines.push(`Nothing would be answered otherwise, of ${unchanged} calls.`)
  else
    lines.push(
      `${totalsWords(result)}; ${unchanged} of ${calls} calls as before`,
      '',
      tableOf(changes),
    )
  const left = changes.length - SHOWN_MAX
  if (left > 0) lines.push(`… and ${left} more rows: --json has all`)
  if (changesOmitted > 0)
    lines.push(`${changesOmitted} more calls would differ, in groups beyond the limit`)
  return [...lines, ...unknownLines(result), `Result ${digest}`]
}

function headLine({ window, calls, from, version }: DryRunResult): string {
  const { since, until, first, last, cutBy } = window
  const entries = first === null ? 'no entry' : `entries ${first} to ${last}`
  const cut = cutBy === null ? '' : toned('yellow', `, cut short by the limit of ${cutBy}`)
  const days = `${since.slice(0, 16).replace('T', ' ')} to ${until.slice(0, 16).replace('T', ' ')} UTC`
  return `Dry run of version ${version.slice(0, 16)} against epoch ${from}: ${calls} calls, ${days} (${entries}${cut})`
}

function totalsWords({ totals }: DryRunResult): string {
  return (Object.entries(totals) as [Kind, number][])
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${KIND_WORDS[kind]}`)
    .join(', ')
}

function tableOf(changes: readonly Change[]): string {
  const shown = (text: string) => escapeUntrusted(text, 60)
  return table(
    [
      'effect',
      'would be',
      'operation',
      'environment',
      'agent for operator (role)',
      'times',
      'before',
      'after',
      'entry',
    ],
    changes
      .slice(0, SHOWN_MAX)
      .map((change) => [
        change.effect,
        KIND_WORDS[change.kind],
        shown(change.operation),
        shown(change.environments.join(', ')),
        `${shown(change.agent)} for ${shown(change.operator)} (${shown(change.role)})`,
        String(change.count),
        answerWords(change.before),
        answerWords(change.after),
        String(change.entry),
      ]),
  )
}

function answerWords({ answer, requirement, policies, code }: Answered): string {
  const by = policies.length === 0 ? '' : ` by ${escapeUntrusted(policies.join(', '), 60)}`
  if (answer === 'review') return `ask ${requirementWords(requirement)}`
  if (answer === 'allow') return 'allow'
  return `deny${code === null || code === 'denied_by_policy' ? '' : ` (${code})`}${by}`
}

function unknownLines({
  unknown,
  unknownCount,
  errors,
  bareCalls,
  passed,
}: DryRunResult): string[] {
  const lines: string[] = []
  const counted = (rows: DryRunResult['unknown']) =>
    rows
      .slice(0, UNKNOWN_SHOWN_MAX)
      .map(
        ({ what, count, entry }) => `  ${count} x ${escapeUntrusted(what, 160)} (entry ${entry})`,
      )
  if (errors.length > 0)
    lines.push(toned('red', 'The proposed policies err, which refuses:'), ...counted(errors))
  if (unknownCount > 0) {
    lines.push(
      toned(
        'yellow',
        `${unknownCount} calls cannot be told: what decided them then is not on record`,
      ),
      ...counted(unknown),
    )
  }
  if (bareCalls > 0)
    lines.push(
      `${bareCalls} calls were tried on what their entry tells: no parameters, nothing of where they came from`,
    )
  const left = Object.entries(passed).map(([why, count]) => `${count} ${why.replaceAll('-', ' ')}`)
  if (left.length > 0) lines.push(`Beside these: ${left.join(', ')}`)
  return lines.length === 0 ? lines : ['', ...lines]
}
