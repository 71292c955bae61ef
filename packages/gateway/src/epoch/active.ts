// The epoch in force, loaded: what `describe` and `decide` are given. Where the build on disk is not
// the one that the epoch was signed for, the gate answers nothing but refusals (red team H3).
import type { EnvironmentRow } from '../config.ts'
import type { Decision } from '../decide/decision.ts'
import { loadPolicySet, type PolicySet } from '../decide/policy-set.ts'
import type { Action } from '../describe/action.ts'
import { covers, environmentOf, type PlaceRules } from '../describe/environments.ts'
import type { ProtectedRow } from '../describe/guarded.ts'
import { GatewayError } from '../errors.ts'
import type { EpochRow, Store } from '../state/store.ts'
import { buildHash, type EpochContent } from './content.ts'
import { type ObservingSince, observesNow, observesRole, observingSince } from './observing.ts'

export interface ActiveEpoch {
  readonly number: number
  readonly content: EpochContent
  readonly policySet: PolicySet
  readonly activatedAtMs: number
  readonly observingSince: ObservingSince
}

/** What says which environment a thing is in, in that epoch. */
export function placeRules({ content }: Pick<ActiveEpoch, 'content'>): PlaceRules {
  const { environments, roleReach = {}, protect, ownAccounts } = content
  return {
    environments,
    roleReach,
    ...(protect && { protect }),
    ...(ownAccounts && { accounts: ownAccounts }),
  }
}

/** Loads an epoch's content. Throws PolicyError when its policies do not load. */
export async function loadEpoch(row: EpochRow, store: Pick<Store, 'epoch'>): Promise<ActiveEpoch> {
  const content = JSON.parse(row.content) as EpochContent
  const policySet = await loadPolicySet({ schema: content.schema, policies: content.policies })
  const { number, activatedAtMs } = row
  const since = await observingSince(row, store)
  return { number, content, policySet, activatedAtMs, observingSince: since }
}

/** The epoch with more that is protected: what this start found out about the gate itself. */
export function alsoProtecting(epoch: ActiveEpoch, rows: readonly ProtectedRow[]): ActiveEpoch {
  const signed = epoch.content.protect ?? []
  const more = rows.filter(({ arn }) => !signed.some((row) => row.arn === arn))
  return { ...epoch, content: { ...epoch.content, protect: [...signed, ...more] } }
}

/** Why this build may not decide under that epoch, or null when it may. */
export function refusingReason(epoch: ActiveEpoch): string | null {
  if (epoch.content.build === buildHash()) return null
  return `epoch ${epoch.number} was signed for another build of Seconder; two people must activate this one`
}

/** What the operator of a gate should know of the epoch in force. */
export function standsWords(
  { number }: ActiveEpoch,
  refusing: string | null,
  isAsOnDisk: boolean,
): string[] {
  if (refusing !== null) return [`answering refusals only: ${refusing}`]
  if (isAsOnDisk) return []
  return [
    `the files differ from epoch ${number}, which stays in force until two people sign: seconder policy activate`,
  ]
}

/** The error of a gate that may not decide: for that reason, or because its epoch is not the active one. */
export function notInForce(refusing: string | null): GatewayError {
  return new GatewayError(
    'gate_refusing',
    refusing ?? 'another epoch is active than the one this gate has loaded',
    'let two people run `seconder policy activate`, or restart the gate',
  )
}

/** What is new while the gate drains is not begun. */
export function stopping(): GatewayError {
  return new GatewayError(
    'gate_refusing',
    'the gate is stopping and begins nothing new',
    'send it again when the gate runs again',
  )
}

/**
 * True when `observe` lets pass what policy would not: every environment of the call observes, for the role (its
 * name) that makes it, the 14 days are not over, and it was policy that said no. Errors, credentials, refusals of the gate and
 * what touches the gate itself or foreign accounts are never relaxed.
 */
export function observes(
  epoch: ActiveEpoch,
  action: Action,
  decision: Decision,
  { role, nowMs }: { readonly role: string; readonly nowMs: number },
): boolean {
  if (decision.answer === 'allow') return false
  if (decision.answer === 'deny' && decision.code !== 'denied_by_policy') return false
  // Accounts that nobody configured are production, and production does not observe here.
  if (action.ownLimbs !== undefined || action.outside !== undefined) return false
  const rows = epoch.content.environments
  return action.resources.every((resource) => {
    if (environmentOf(rows, resource) !== resource.environment) return false
    // What is not resolved may be anything in its account: then all of that account must observe.
    const ofAccount = rows.filter(({ accounts }) => accounts.includes(resource.account))
    const enforces = (row: EnvironmentRow) =>
      !observesNow(row, epoch.observingSince, nowMs) || !observesRole(row, role)
    if (!resource.resolved && ofAccount.some(enforces)) return false
    const row = rows.find(
      ({ name, accounts, arns }) =>
        name === resource.environment &&
        accounts.includes(resource.account) &&
        (arns === undefined || arns.some((pattern) => covers(pattern, resource.arn))),
    )
    return row !== undefined && !enforces(row)
  })
}
