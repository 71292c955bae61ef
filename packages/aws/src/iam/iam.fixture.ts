// Short ways for the tests to say a request and a set of policies.
import type { Json, JsonObject } from '../call.ts'
import { authorize, NO_POLICIES, type PolicySet, type Verdict } from './authorize.ts'
import { type Policy, type PolicyKind, parsePolicy } from './policy.ts'
import type { ContextValue, IamRequest, Principal } from './request.ts'

export const ACCOUNT = '111122223333'
export const OTHER = '444455556666'

export const USER: Principal = {
  kind: 'user',
  arn: `arn:aws:iam::${ACCOUNT}:user/carlos`,
  account: ACCOUNT,
}

export const SESSION: Principal = {
  kind: 'session',
  arn: `arn:aws:iam::${ACCOUNT}:role/deploy`,
  sessionArn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/s-1`,
  account: ACCOUNT,
}

export function policy(kind: PolicyKind, ...statements: JsonObject[]): Policy {
  return parsePolicy({ Version: '2012-10-17', Statement: statements } as Json, kind, kind)
}

export function allow(action: string, resource = '*', more: JsonObject = {}): JsonObject {
  return { Effect: 'Allow', Action: action, Resource: resource, ...more }
}

export function deny(action: string, resource = '*', more: JsonObject = {}): JsonObject {
  return { ...allow(action, resource, more), Effect: 'Deny' }
}

export function keys(given: Record<string, string | string[] | null>) {
  const entries = Object.entries(given).map(([key, value]): [string, ContextValue] => [
    key.toLowerCase(),
    typeof value === 'string' ? [value] : value,
  ])
  return new Map(entries)
}

export interface Asked {
  readonly principal?: Principal
  readonly action?: string
  readonly resource?: string
  readonly isPattern?: boolean
  readonly account?: string | null
  readonly keys?: Record<string, string | string[] | null>
  readonly others?: 'absent' | 'unknown'
}

export function request(asked: Asked): IamRequest {
  return {
    principal: asked.principal ?? SESSION,
    action: asked.action ?? 's3:GetObject',
    resource: asked.resource ?? 'arn:aws:s3:::data/key',
    resourceIsPattern: asked.isPattern ?? false,
    resourceAccount: asked.account === undefined ? ACCOUNT : asked.account,
    context: { keys: keys(asked.keys ?? {}), others: asked.others ?? 'absent' },
  }
}

export function policySet(policies: Partial<PolicySet>): PolicySet {
  return { ...NO_POLICIES, ...policies }
}

export function asks(asked: Asked, policies: Partial<PolicySet>): Verdict {
  return authorize(request(asked), policySet(policies))
}

/** A policy variable as a policy writes it. */
export function variable(inside: string): string {
  return ['$', '{', inside, '}'].join('')
}
