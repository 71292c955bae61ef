// A reconciliation as lines: findings first, then what is matched, and what is explained and is none.

import { leftWords } from '../incident/beside.ts'
import type { Evidence } from '../incident/incident.ts'
import { count, moment, sentence, shown } from '../incident/words.ts'
import { FINDINGS, type FindingCode, type Reconciliation } from './reconciliation.ts'

/** Findings of one kind that get a line. */
const SHOWN_MAX = 20

export interface Tones {
  readonly toned: (tone: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string
}

export function reconciliationLines(one: Reconciliation, { toned }: Tones): string[] {
  const { matched, apart, findingCount, covers, verified } = one
  const span =
    covers.from === '' ? 'no event has a time' : `${moment(covers.from)} to ${moment(covers.to)}`
  const left = leftWords(one)
  const lines = [
    ...(left === null ? [] : [toned('red', `NOT ALL WAS COMPARED: ${left}`), '']),
    ...(verified
      ? []
      : [
          toned(
            'red',
            'THE LEDGER DOES NOT VERIFY: nothing below is evidence until that is explained',
          ),
          '',
        ]),
    `${count(one.entries, 'entry', 'entries')} of the ledger against ${count(one.events, 'event')} of the trail (${span})`,
    '',
    findingCount === 0
      ? toned(
          left === null ? 'green' : 'yellow',
          left === null
            ? 'No findings: every event under the gate has its entry, and every entry its event.'
            : 'No findings in what was compared.',
        )
      : toned('red', `${count(findingCount, 'finding')}`),
    ...findingLines(one, toned),
    '',
    `matched       ${count(matched.changes, 'change')}, ${count(matched.reads, 'read')}: ${matched.byRequestId} by AWS's request id,`,
    `              ${matched.byTime} by session, operation, time and resource`,
    `not logged    ${apart.notLogged} of calls that CloudTrail logs only as data events; not having them is no finding`,
    `not covered   ${apart.notCovered} before or after this trail`,
    `gate's own    ${apart.ownLookUps} look-ups and AssumeRole`,
    `by services   ${apart.byServices} events of AWS services under what the gate lent`,
    `others        ${apart.others} events of principals that are not the gate's`,
    ...followedLines(one, toned),
  ]
  return lines
}

function findingLines({ findings }: Reconciliation, toned: Tones['toned']): string[] {
  const codes = [...new Set(findings.map(({ code }) => code))]
  return codes.flatMap((code: FindingCode) => {
    const of = findings.filter((finding) => finding.code === code)
    const more = of.length - SHOWN_MAX
    return [
      '',
      `${toned('bold', code)}: ${FINDINGS[code]}`,
      ...of
        .slice(0, SHOWN_MAX)
        .flatMap(({ at, says, evidence }) => [
          `  ${moment(at)}  ${plain(sentence(says))}`,
          `    ${toned('dim', evidence.map(proof).join(', '))}`,
        ]),
      ...(more > 0 ? [`  and ${more} more; --json lists up to 1,000`] : []),
    ]
  })
}

function followedLines({ followed }: Reconciliation, toned: Tones['toned']): string[] {
  if (followed.length === 0) return []
  const rows = followed
    .slice(0, SHOWN_MAX)
    .map(
      ({ at, operation, outcome, end }) =>
        `  ${moment(at)}  ${shown(operation)}  ${outcome} → ${end}`,
    )
  const more = followed.length - SHOWN_MAX
  return [
    '',
    toned('bold', 'Accepted or never answered, and how it ended'),
    ...rows,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}

/** Backticks mark names in reports; on a terminal they are only noise. */
function plain(text: string): string {
  return text.replaceAll('`', '')
}

function proof({ source, entry, id }: Evidence): string {
  return source === 'ledger' ? `entry ${entry} ${id.slice(0, 12)}` : `event ${shown(id)}`
}
