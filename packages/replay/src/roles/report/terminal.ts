// An audit in words for a terminal: what it rests on, the count, the worst findings with their way and fix,
// who goes round the gate, and a table of principals. Names from exports are escaped before they are shown.

import { escapeUntrusted, flagged } from '@seconder/gateway/lib/plain-text'
import type { Audit, Finding, PrincipalRow, Rounder, Severity } from '../finding.ts'

type Tone = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim'

export interface TerminalOptions {
  readonly toned: (tone: Tone, text: string) => string
  /** Findings shown with their evidence, and rows of each table. */
  readonly rows: number
  readonly width: number
}

const MARKS: Readonly<Record<Severity, { mark: string; tone: Tone }>> = {
  critical: { mark: '■', tone: 'red' },
  high: { mark: '◆', tone: 'red' },
  medium: { mark: '▲', tone: 'yellow' },
  low: { mark: '●', tone: 'cyan' },
  note: { mark: '○', tone: 'dim' },
}

export function terminalLines(audit: Audit, options: TerminalOptions): string[] {
  const { toned, rows } = options
  const lines = [...headLines(audit, options), '']
  const shown = audit.findings.slice(0, rows)
  for (const finding of shown) lines.push(...findingLines(finding, options), '')
  const more = audit.findings.length - shown.length
  if (more > 0) {
    lines.push(
      toned('dim', `${more} more findings: --rows ${audit.findings.length}, --json, --html FILE`),
    )
    lines.push('')
  }
  lines.push(...rounderLines(audit, options), '', ...principalLines(audit, options))
  return lines
}

function headLines(
  { principals, accounts, counts, whole, faults, limits }: Audit,
  options: TerminalOptions,
) {
  const { toned, width } = options
  const users = principals.filter(({ kind }) => kind === 'user').length
  const agents = principals.filter(({ isAgent }) => isAgent).length
  const people = [
    `${users} users and ${principals.length - users} roles${agents > 0 ? ` (${agents} of agents)` : ''}`,
    `in ${accounts.length === 1 ? 'account' : 'accounts'} ${accounts.map(shown).join(', ')}`,
  ].join(' ')
  const lines = [toned('bold', people)]
  if (!whole) {
    lines.push(
      toned(
        'red',
        `The export is not whole: ${faults.length} faults. Who stands behind them is in no answer.`,
      ),
    )
    for (const { where, what } of faults.slice(0, 5)) {
      lines.push(...wrapped(`  ${shown(where)}: ${shown(what)}`, width, '    '))
    }
  }
  for (const limit of limits) lines.push(...wrapped(toned('dim', `· ${shown(limit)}`), width, '  '))
  const total = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => {
      const { mark, tone } = MARKS[severity as Severity]
      return toned(tone, `${mark} ${count} ${severity}`)
    })
  lines.push('', total.length === 0 ? toned('green', 'Nothing found.') : total.join('   '))
  return lines
}

function findingLines(finding: Finding, { toned, width }: TerminalOptions): string[] {
  const { mark, tone } = MARKS[finding.severity]
  const agent = finding.isAgent ? toned('cyan', ' agent') : ''
  const lines = [
    `${toned(tone, `${mark} ${finding.severity}`)}  ${toned('bold', shown(finding.subject))}${agent}  ${toned('dim', finding.rule)}`,
    ...wrapped(`  ${shown(finding.title)}`, width, '  '),
  ]
  if (finding.words !== finding.title)
    lines.push(...wrapped(`  ${shown(finding.words)}`, width, '  '))
  finding.path.forEach((step, index) => {
    const certain = step.truth === 'yes' ? '' : toned('yellow', ' (may)')
    lines.push(
      ...wrapped(
        `  ${index + 1}. ${shown(step.rows.slice(0, 4).join(', '))} -> ${shown(step.to)}${certain}`,
        width,
        '     ',
      ),
    )
  })
  if (finding.dependsOn.length > 0) {
    lines.push(
      ...wrapped(`  depends on: ${shown(finding.dependsOn.slice(0, 6).join('; '))}`, width, '    '),
    )
  }
  const evidence = finding.evidence.slice(0, 3)
  for (const { policy, statement } of evidence) {
    lines.push(toned('dim', `  by ${shown(policy)}, statement ${shown(statement)}`))
  }
  lines.push(...wrapped(`  fix: ${shown(finding.fix.words)}`, width, '       '))
  if (finding.fix.command) lines.push(toned('dim', `       ${shown(finding.fix.command)}`))
  return lines
}

function rounderLines(audit: Audit, { toned, rows }: TerminalOptions): string[] {
  const { rounders } = audit
  const isCertain = audit.whole && audit.principals.every(({ unread }) => unread.length === 0)
  const going = rounders.filter(({ excepted }) => !excepted)
  const exceptions = rounders.length - going.length
  const beside = exceptions > 0 ? `, beside ${exceptions} named exceptions` : ''
  const head = `${going.length} can act on production without the gate${beside}`
  const shownRows = rounders.slice(0, rows).map((each) => rounderCells(each))
  const more = rounders.length - shownRows.length
  return [
    toned('bold', head),
    ...(isCertain ? [] : [toned('yellow', 'Not everybody could be read: there may be more.')]),
    ...table(['who', 'certain', 'how'], shownRows, toned),
    ...(more > 0 ? [toned('dim', `${more} more`)] : []),
  ]
}

function rounderCells({ who, certain, how, isAgent, excepted }: Rounder): string[] {
  const marks = [isAgent ? 'agent' : '', excepted ? 'exception' : ''].filter((word) => word !== '')
  const words = marks.length > 0 ? ` (${marks.join(', ')})` : ''
  return [`${shown(who)}${words}`, certain ? 'yes' : 'may', shown(how)]
}

function principalLines({ principals }: Audit, { toned, rows }: TerminalOptions): string[] {
  const own = principals.filter(({ serviceLinked }) => !serviceLinked)
  const linked = principals.length - own.length
  const cells = own.slice(0, rows).map(principalCells)
  const notes = [
    own.length > rows ? `${own.length - rows} more` : '',
    linked > 0 ? `${linked} roles of AWS's own services left out` : '',
  ].filter((text) => text !== '')
  return [
    toned('bold', 'Principals, the most dangerous first'),
    ...table(
      ['principal', 'admin', 'becomes', 'destroys', 'environments', 'last used'],
      cells,
      toned,
    ),
    ...(notes.length > 0 ? [toned('dim', notes.join('; '))] : []),
  ]
}

function principalCells(row: PrincipalRow): string[] {
  const admin =
    row.rules === 'yes'
      ? 'is'
      : row.reachesAdmin === 'yes'
        ? 'reaches'
        : row.reachesAdmin === 'unknown'
          ? 'may reach'
          : 'no'
  return [
    `${row.isAgent ? 'agent ' : ''}${row.kind} ${shown(row.name)}`,
    row.unread.length > 0 ? `${admin} (unread)` : admin,
    row.rules === 'yes' || row.reachesAdmin === 'yes' ? 'everybody' : String(row.reaches.length),
    String(row.destroys.actions.length),
    row.environments.map(shown).join(', ') || '-',
    row.lastUsed?.slice(0, 10) ?? '-',
  ]
}

function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  toned: TerminalOptions['toned'],
): string[] {
  if (rows.length === 0) return []
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [toned('dim', line(header)), ...rows.map(line)]
}

function shown(text: string): string {
  return flagged(escapeUntrusted(text))
}

/** At word ends; a word that is too long stays whole. */
function wrapped(text: string, width: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = `${indent}${word}`
    } else
      line =
        line === '' && lines.length === 0 && word === ''
          ? ' '
          : line === ''
            ? word
            : `${line} ${word}`
  }
  return [...lines, line]
}
