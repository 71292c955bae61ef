// The one plain statement that a reviewer reads first: what would happen, what holds data, what cannot
// be had back, what could not be looked up; worst first. Pure, written from facts alone.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { grouped, quoted } from './amounts.ts'
import type { Evidence, Fate, Finding } from './evidence.ts'
import { FATES_WORST_FIRST } from './part.ts'

const FATE_VERBS: Readonly<Record<Fate, string>> = {
  deleted: 'delete',
  overwritten: 'overwrite',
  replaced: 'replace',
  changed: 'change',
  created: 'create',
  kept: 'leave behind',
}

const EFFECT_VERBS: Readonly<Record<Effect, string>> = {
  list: 'list',
  read: 'read',
  tag: 'change tags of',
  write: 'change',
  stop: 'stop',
  replace: 'replace',
  permissions: 'change who may do what with',
  opaque: 'run something that cannot be seen from here on',
  destroy: 'delete or lose data of',
  unknown: 'do something that nobody has classified to',
}

/** Short sentences, e.g. `This would delete 3 resources. 2 hold data. None can be restored from here.` */
export function summarise(action: Action, evidence: Evidence): string {
  const { findings } = evidence
  const absent = findings.length > 0 && findings.every(isAbsent)
  const first = findings.length === 0 ? [byEffect(action, evidence)] : byFate(action, findings)
  const sentences = [
    ...first,
    ...(absent ? [] : [...aboutData(findings), ...aboutProtection(findings)]),
    ...aboutLooking(findings, evidence),
    ...(evidence.content === undefined ? [] : [evidence.content]),
    ...aboutStatements(action),
    ...aboutInnerCalls(action, evidence),
    ...aboutAddedEffects(action, evidence),
    ...((evidence.before ?? null) === null ? [] : ['What is there now is shown below.']),
  ]
  return sentences.join(' ')
}

function isAbsent(finding: Finding): boolean {
  return finding.holds === 'nothing: it does not exist' && finding.fate !== 'created'
}

function byEffect(action: Action, evidence: Evidence): string {
  const effects = [...action.effects, ...evidence.addedEffects]
  const worst = EFFECTS_BY_STRICTNESS.findLast((effect) => effects.includes(effect)) ?? 'unknown'
  const resources = action.resources.filter((resource) => resource.arn !== '*')
  const [only] = resources
  const verb = EFFECT_VERBS[worst]
  if (only === undefined) return `This would ${verb} something in ${action.service}.`
  if (resources.length > 1) return `This would ${verb} ${grouped(resources.length)} resources.`
  return `This would ${verb} ${only.type === '*' ? '' : `${only.type} `}${quoted(lastPart(only.arn))}.`
}

/** `arn:aws:s3:::reports/august.csv` is `reports/august.csv`; `...:table/orders` is `orders`. */
function lastPart(arn: string): string {
  const name = arn.split(':').slice(5).join(':')
  const typed =
    /^(table|stack|role|user|policy|function|instance|db|key|topic|queue)[/:](.+)$/.exec(name)
  return typed?.[2] ?? (name === '' ? arn : name)
}

function byFate(action: Action, findings: readonly Finding[]): string[] {
  if (findings.every(isAbsent)) {
    const [only] = findings
    const what = findings.length === 1 && only !== undefined ? named(only) : someOf(findings)
    return [`There is no ${what}, so this would change nothing or fail.`]
  }
  const present = findings.filter((finding) => !isAbsent(finding))
  const groups = FATES_WORST_FIRST.map((fate) => ({
    fate,
    members: present.filter((finding) => (finding.fate ?? fateOf(action)) === fate),
  })).filter((group) => group.members.length > 0)
  const parts = groups.map(({ fate, members }) => {
    const [only] = members
    const what = members.length === 1 && only !== undefined ? named(only) : someOf(members)
    return `${FATE_VERBS[fate]} ${what}`
  })
  return [`This would ${joined(parts)}.`]
}

function fateOf(action: Action): Fate {
  return action.effects.includes('destroy') ? 'deleted' : 'changed'
}

function named(finding: Finding): string {
  return `${finding.type} ${quoted(finding.name)}`
}

/** `3 tables` where they are of one kind, else `3 resources`. */
function someOf(findings: readonly Finding[]): string {
  const kinds = new Set(findings.map((finding) => finding.type))
  const [kind] = kinds
  const noun = kinds.size === 1 && kind !== undefined ? kind : 'resource'
  return `${grouped(findings.length)} ${findings.length === 1 ? noun : plural(noun)}`
}

function plural(noun: string): string {
  return noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`
}

function joined(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('')
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

/** Only what could lose something counts: what is created or kept loses nothing. */
function atRisk(findings: readonly Finding[]): Finding[] {
  return findings.filter(
    (finding) => finding.fate !== 'created' && finding.fate !== 'kept' && !isAbsent(finding),
  )
}

function aboutData(findings: readonly Finding[]): string[] {
  const risked = atRisk(findings)
  const holding = risked.filter((finding) => finding.holdsData === true)
  const [only] = holding
  if (only === undefined) {
    const known = risked.length > 0 && risked.every((finding) => finding.holdsData === false)
    return known ? [risked.length === 1 ? 'It holds no data.' : 'None holds data.'] : []
  }
  const restoring = aboutRestoring(holding)
  if (risked.length === 1) {
    return [only.holds === null ? 'It holds data.' : `It holds ${only.holds}.`, restoring]
  }
  const all = holding.length === risked.length
  const count = all
    ? `All ${grouped(holding.length)} hold`
    : `${grouped(holding.length)} ${holding.length === 1 ? 'holds' : 'hold'}`
  return [`${count} data.`, restoring]
}

function aboutRestoring(holding: readonly Finding[]): string {
  const count = (undo: Finding['undo']) => holding.filter((one) => one.undo === undo).length
  const [no, unknown, backup, yes] = [
    count('no'),
    count('unknown'),
    count('from-backup'),
    count('yes'),
  ]
  const total = holding.length
  if (no === total)
    return total === 1 ? 'It cannot be restored from here.' : 'None can be restored from here.'
  if (yes === total) return total === 1 ? 'It can be undone.' : 'All can be undone.'
  if (backup === total) {
    return `${total === 1 ? 'It' : 'All'} can be restored from ${total === 1 ? 'a backup' : 'backups'}.`
  }
  if (unknown === total) {
    return `It is not known whether ${total === 1 ? 'it' : 'they'} can be restored.`
  }
  const parts = [
    ...(no > 0 ? [`${grouped(no)} cannot be restored from here`] : []),
    ...(unknown > 0 ? [`of ${grouped(unknown)} it is not known`] : []),
    ...(backup > 0 ? [`${grouped(backup)} can be restored from a backup`] : []),
    ...(yes > 0 ? [`${grouped(yes)} can be undone`] : []),
  ]
  const text = joined(parts)
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function aboutProtection(findings: readonly Finding[]): string[] {
  const deleted = findings.filter((one) => one.fate === 'deleted' && !isAbsent(one))
  const guarded = deleted.filter((one) => one.protectedFromDeletion === true)
  if (guarded.length === 0) return []
  if (deleted.length === 1) return ['It is protected from deletion, so this may fail.']
  return [
    `${grouped(guarded.length)} ${guarded.length === 1 ? 'is' : 'are'} protected from deletion.`,
  ]
}

/** What the fates do not show: rights, parts that act by themselves, what nobody can tell. */
function aboutAddedEffects(action: Action, evidence: Evidence): string[] {
  if (evidence.findings.length === 0) return []
  // Roles that merely go are rows of their own; rights that come or change are more than a row shows.
  const onlyDeletes = evidence.findings.every((one) => (one.fate ?? fateOf(action)) === 'deleted')
  const effects = new Set([...action.effects, ...evidence.addedEffects])
  return [
    ...(effects.has('opaque') ? ['Part of what it would do cannot be seen from here.'] : []),
    ...(effects.has('permissions') && !onlyDeletes ? ['It would change who may do what.'] : []),
    ...(effects.has('unknown') ? ['Part of it nobody has classified.'] : []),
  ]
}

/** The strictest statement in words; how many more there are. */
function aboutStatements({ statements = [] }: Action): string[] {
  const strictness = (each: { readonly effects: readonly Effect[] }): number =>
    Math.max(...each.effects.map((effect) => EFFECTS_BY_STRICTNESS.indexOf(effect)))
  const [worst] = statements.toSorted((a, b) => strictness(b) - strictness(a))
  if (worst === undefined) return []
  const more = statements.length - 1
  const rest = more === 0 ? '' : ` (and ${grouped(more)} more statement${more === 1 ? '' : 's'})`
  return [`Its SQL ${worst.says}${rest}.`]
}

/** Inner calls named in one sentence; the document has them all. */
const INNER_CALLS_NAMED = 3

/** What the call would make others do, the changing ones first by their order in it. */
function aboutInnerCalls(action: Action, evidence: Evidence): string[] {
  const all = [...(action.innerCalls ?? []), ...(evidence.innerCalls ?? [])]
  const changing = all.filter(({ effects }) =>
    effects.some((effect) => effect !== 'read' && effect !== 'list'),
  )
  const names = [...new Set(changing.map(({ operation }) => operation))]
  if (names.length === 0) return []
  const more = names.length - INNER_CALLS_NAMED
  const named = joined([
    ...names.slice(0, INNER_CALLS_NAMED),
    ...(more > 0 ? [`${grouped(more)} more`] : []),
  ])
  return [`It makes others call ${named}.`]
}

function aboutLooking(findings: readonly Finding[], evidence: Evidence): string[] {
  const missed = evidence.couldNotLook.length
  if (missed === 0) return []
  if (findings.length === 0) return ['What it holds could not be looked up.']
  const unknown = atRisk(findings).filter((finding) => finding.holdsData === null).length
  if (unknown > 0) {
    const whose =
      unknown === 1 && findings.length === 1
        ? 'it holds'
        : `${grouped(unknown)} of them ${unknown === 1 ? 'holds' : 'hold'}`
    return [`What ${whose} could not be looked up.`]
  }
  return ['Not everything about this could be looked up.']
}
