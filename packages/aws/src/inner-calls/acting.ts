// Says what a call makes others do: the calls that stand in its parameters, each described by the same
// tables as a call on the wire, and the stored thing whose role would act. Pure; one look in a table
// for a call that acts for nobody (red team H7, H8).

import type { CallResource, Effect, InnerCall, JsonObject } from '../call.ts'
import { levelsOf, neededActions } from '../describe/actions.ts'
import {
  maskedPointersOf,
  recoverableOf,
  revealsOf,
  strictestReveals,
} from '../describe/answers.ts'
import { allHold, valuesAt } from '../describe/condition.ts'
import { effectsOf, inOrder } from '../describe/effects.ts'
import type { Surroundings } from '../describe/normalise.ts'
import { passedRoles, ROLE_MEMBER } from '../describe/pass-role.ts'
import { membersOf, resourcesOf } from '../describe/resources.ts'
import type { ActsRow, ReaderName } from '../index/model.ts'
import { rowsOf } from '../index/rows.ts'
import type { Operation, Service } from '../index/service-index.ts'
import { partiqlIn } from '../sql/stated.ts'
import { readCloudControl } from './cloud-control.ts'
import { type Draft, Drafts, INNER_CALLS_MAX, type Reader } from './drafts.ts'
import {
  readBackupPlan,
  readBatchOperation,
  readScheduledScaling,
  readSnapshotLifecycle,
} from './lifecycles.ts'
import { reshaped, sdkOperation } from './sdk-call.ts'
import { readDocument, readDocumentName } from './ssm-document.ts'
import { readStateMachine, readTestedState } from './state-machine.ts'
import {
  readAlarm,
  readMaintenanceTask,
  readPipe,
  readRemediation,
  readRuleTargets,
  readSchedule,
  readSubscription,
} from './targets.ts'
import { distinct } from './union.ts'

/** Calls inside calls (a schedule that makes a state machine that ...) that are followed. */
export const INNER_DEPTH_MAX = 3

export interface Acting {
  readonly innerCalls: readonly InnerCall[]
  /** Whether `innerCalls` is all that the call stores or starts. */
  readonly whole: boolean
  /** The kind of stored thing whose role acts, where the call names none; to be looked up. */
  readonly holder: string | undefined
  /** Roles that are named but not by an ARN, and members that name one. */
  readonly roles: readonly CallResource[]
}

const ANYTHING: CallResource = { arn: '*', type: '*', resolved: false }
const ANY_ROLE: CallResource = { arn: '*', type: 'role', resolved: false }

const ROLE_ARN = /^arn:[a-z-]+:iam::\d{12}:role\/[^\s*?]+$/

/** Holders whose role alone is in question: nothing of what they store is looked up by their name. */
const NEVER_LOOKED_UP = new Set(['unknown', 'document'])

const NOBODY: Acting = { innerCalls: [], whole: true, holder: undefined, roles: [] }

const READERS: Readonly<Record<Exclude<ReaderName, 'cloud-control'>, Reader>> = {
  alarm: readAlarm,
  'backup-plan': readBackupPlan,
  'batch-operation': readBatchOperation,
  'document-name': readDocumentName,
  'maintenance-task': readMaintenanceTask,
  pipe: readPipe,
  remediation: readRemediation,
  'rule-targets': readRuleTargets,
  schedule: readSchedule,
  'scheduled-scaling': readScheduledScaling,
  'snapshot-lifecycle': readSnapshotLifecycle,
  'ssm-document': readDocument,
  state: readTestedState,
  'state-machine': readStateMachine,
  subscription: readSubscription,
}

/** What `operation` with these parameters makes others do. */
export function actingOf(
  service: Service,
  operation: Operation,
  parameters: JsonObject,
  here: Surroundings,
): Acting {
  return actingAt(service, operation.name, parameters, here, 0)
}

function actingAt(
  service: Service,
  operation: string,
  parameters: JsonObject,
  here: Surroundings,
  depth: number,
): Acting {
  const { acts } = rowsOf(service, operation)
  if (acts.length === 0) return NOBODY
  const rows = acts.filter((row) => allHold(row.when, parameters))
  if (rows.length === 0) return NOBODY
  const drafts = new Drafts()
  for (const row of rows) read(row, service, parameters, drafts)
  const named = rows.flatMap((row) =>
    (row.named ?? []).flatMap((path) => valuesAt(parameters, path)),
  )
  const roles = named.flatMap((value): CallResource[] =>
    typeof value === 'string' && ROLE_ARN.test(value)
      ? [{ arn: value, type: 'role', resolved: true }]
      : [ANY_ROLE],
  )
  const kind = rows.find((row) => row.holder)?.holder
  // A named role stands in for one that cannot be looked up; what is stored still says what runs.
  const holder = named.length > 0 && NEVER_LOOKED_UP.has(kind ?? '') ? undefined : kind
  return { ...describedAll(drafts, here, depth), holder, roles }
}

function read(row: ActsRow, service: Service, parameters: JsonObject, drafts: Drafts): void {
  const { reads } = row
  if (reads === undefined) drafts.hide()
  else if (reads === 'cloud-control')
    readCloudControl(parameters, drafts, service.tables.types ?? {})
  else READERS[reads](parameters, drafts)
}

/** The drafts of a definition that was looked up, described; for `resolve`. */
export function describeDrafts(
  drafts: Drafts,
  here: Surroundings,
): Pick<Acting, 'innerCalls' | 'whole'> {
  const { innerCalls, whole } = describedAll(drafts, here, 0)
  return { innerCalls: innerCalls.map(withoutSecrets), whole }
}

/** What is stored elsewhere may hold secrets in plain text; they are not repeated. */
function withoutSecrets({ maskedPointers, ...inner }: InnerCall): InnerCall {
  if (maskedPointers.length === 0) return { ...inner, maskedPointers }
  return { ...inner, parameters: { hidden: 'its parameters hold a secret' }, maskedPointers: [] }
}

function describedAll(
  drafts: Drafts,
  here: Surroundings,
  depth: number,
): Pick<Acting, 'innerCalls' | 'whole'> {
  const innerCalls: InnerCall[] = []
  for (const draft of drafts.found) {
    const calls = depth < INNER_DEPTH_MAX ? described(draft, here, depth) : undefined
    if (calls === undefined || innerCalls.length + calls.length > INNER_CALLS_MAX) drafts.hide()
    else innerCalls.push(...calls)
  }
  return { innerCalls, whole: drafts.whole }
}

/** The call and those inside it; nothing where no table knows such an operation. */
function described(draft: Draft, here: Surroundings, depth: number): InnerCall[] | undefined {
  const found = sdkOperation(draft.sdk, draft.api)
  if (found === undefined) return undefined
  const { service, operation } = found
  const { parameters, uncertain } = reshaped(operation, draft.parameters)
  const certain = uncertain.size === 0
  const { main, added } = neededActions(service, operation, parameters)
  const own = main.length > 0 ? main : added
  const acting = actingAt(service, operation.name, parameters, here, depth + 1)
  const levels = levelsOf(service, [...own, ...added])
  const stated = partiqlIn(`${service.prefix}:${operation.name}`, parameters, here)
  const needed = stated?.actions ?? [...main, ...added]
  const known =
    stated?.effects ?? effectsOf(service, operation.name, levels, parameters, acting.whole)
  const effects = certain ? known : uncertainEffects(service, operation.name, known)
  const passed = [
    ...passedRoles(service.prefix, parameters),
    ...acting.roles,
    ...([...uncertain].some((name) => ROLE_MEMBER.test(name)) ? [ANY_ROLE] : []),
  ]
  const passing = passed.length === 0 ? [] : ['iam:PassRole']
  const reveals = revealsOf(service, operation, effects, parameters)
  const rows = rowsOf(service, operation.name).reveals
  const inner: InnerCall = {
    operation: `${service.prefix}:${operation.name}`,
    at: draft.at,
    role: draft.role,
    iamActions: [...new Set([...needed, ...passing])],
    resources: distinct([
      ...(stated?.resources ?? resourcesOf(service, operation, needed, parameters, here)),
      ...passed,
      ...actsUnder(draft.role),
      ...(namesUncertain(service, operation.name, uncertain) ? [ANYTHING] : []),
    ]),
    effects,
    reveals: certain ? reveals : strictestReveals([reveals, ...rows.map((row) => row.reveals)]),
    recoverable: recoverableOf(service, operation, effects, parameters),
    parameters,
    maskedPointers: maskedPointersOf(operation, parameters),
    ...(acting.holder === undefined ? {} : { holder: acting.holder }),
  }
  const deeper = acting.innerCalls.map((each) => ({ ...each, at: `${draft.at} > ${each.at}` }))
  return [inner, ...deeper]
}

/** Where a member is not known, every row that could hold does, and the rest cannot be seen. */
function uncertainEffects(service: Service, operation: string, known: readonly Effect[]): Effect[] {
  const possible = rowsOf(service, operation).effects.map((row) => row.effect)
  const all = new Set([...known, ...possible])
  if ([...all].every((effect) => effect === 'read' || effect === 'list')) return inOrder(all)
  return inOrder(new Set([...all, 'opaque' as const]))
}

/** The role a call would run under, as a thing that the outer call puts to use (redteam H8). */
function actsUnder(role: string | null): CallResource[] {
  if (role === null) return []
  return [ROLE_ARN.test(role) ? { arn: role, type: 'role', resolved: true } : ANY_ROLE]
}

/** True where a member that is not known would have named what the call touches. */
function namesUncertain(
  service: Service,
  operation: string,
  uncertain: ReadonlySet<string>,
): boolean {
  if (uncertain.size === 0) return false
  return rowsOf(service, operation).arns.some((row) =>
    membersOf(row).some((member) => uncertain.has(member)),
  )
}
