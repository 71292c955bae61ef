// The Principal and NotPrincipal of a policy, and how near to the asking principal it names it: an
// allow for the session itself reaches further than one for its role, or for its whole account.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

import type { Json } from '../call.ts'
import { PolicyError } from './errors.ts'
import type { Principal } from './request.ts'
import { not, type Truth, truth } from './truth.ts'

/**
 * `direct`: the user, the session, the service, or everybody; `role`: the role of the session;
 * `account`: the account it belongs to, which hands on to its own policies.
 */
export type Naming = 'direct' | 'role' | 'account'

export interface PrincipalElement {
  readonly not: boolean
  readonly everybody: boolean
  /** By type, as written: `AWS`, `Service`, `Federated`, `CanonicalUser`. */
  readonly named: ReadonlyMap<string, ReadonlySet<string>>
}

const TYPES = new Set(['AWS', 'Service', 'Federated', 'CanonicalUser'])

/** Errors: `wrong_element`, `unknown_element`. */
export function principalElement(value: Json, not: boolean): PrincipalElement {
  if (value === '*') return { not, everybody: true, named: new Map() }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new PolicyError('wrong_element', 'a principal is neither `*` nor an object')
  }
  const named = new Map<string, ReadonlySet<string>>()
  let everybody = false
  for (const [type, values] of Object.entries(value)) {
    if (!TYPES.has(type)) throw new PolicyError('unknown_element', 'a principal of no known type')
    const texts = (Array.isArray(values) ? values : [values]).map((one) => {
      if (typeof one === 'string') return one
      throw new PolicyError('wrong_element', 'a principal is not a string')
    })
    if (type === 'AWS' && texts.includes('*')) everybody = true
    named.set(type, new Set(texts))
  }
  return { not, everybody, named }
}

/** The key that stands for who asks, where a policy names somebody by a name that is not known. */
export const PRINCIPAL = 'principal'

/** How the element names the principal; null = not at all. For NotPrincipal see `applies`. */
export function namingOf(element: PrincipalElement, principal: Principal): Naming | null {
  if (element.everybody) return 'direct'
  const has = (type: string, name: string | undefined): boolean =>
    name !== undefined && name !== '' && (element.named.get(type)?.has(name) ?? false)
  switch (principal.kind) {
    case 'service':
      return has('Service', principal.arn) ? 'direct' : null
    case 'web-identity':
      return has('Federated', principal.arn) ? 'direct' : null
    case 'anonymous':
      return null
    default:
  }
  if (has('AWS', principal.sessionArn)) return 'direct'
  if (has('AWS', principal.arn)) {
    return hasSession(principal) ? 'role' : 'direct'
  }
  return namesAccount(element, principal) ? 'account' : null
}

/**
 * A session is its own principal; its role, or the user who asked for federation, only lends to it.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
function hasSession({ kind }: Principal): boolean {
  return kind === 'session' || kind === 'role' || kind === 'federated-user'
}

function namesAccount({ named }: PrincipalElement, { account, arn }: Principal): boolean {
  const aws = named.get('AWS')
  if (aws === undefined || account === '') return false
  const partition = arn.split(':')[1] || 'aws'
  return aws.has(account) || aws.has(`arn:${partition}:iam::${account}:root`)
}

/**
 * Whether a statement with this element is about the principal, of the namings given, or of any.
 * Unknown where it names a canonical user, or a session of the role that is asked about without one.
 */
export function applies(
  element: PrincipalElement,
  effect: 'allow' | 'deny',
  principal: Principal,
  hasBoundary: boolean,
  namings?: readonly Naming[],
): Truth {
  if (element.not) {
    return effect === 'deny'
      ? not(spares(element, principal, hasBoundary))
      : isLeft(element, principal)
  }
  const naming = namingOf(element, principal)
  if (naming !== null && (namings === undefined || namings.includes(naming))) return 'yes'
  const direct = namings === undefined || namings.includes('direct')
  if (direct && namesSomeSession(element, principal)) return 'unknown'
  const account = namings === undefined || namings.includes('account')
  return account && mayNameAccount(element, principal) ? 'unknown' : 'no'
}

/** An S3 canonical user is an account, whose number it does not say. */
function mayNameAccount({ named }: PrincipalElement, { account }: Principal): boolean {
  return account !== '' && (named.get('CanonicalUser')?.size ?? 0) > 0
}

function namesSomeSession({ named }: PrincipalElement, { kind, arn }: Principal): boolean {
  if (kind !== 'role') return false
  const [, partition = '', , , account = ''] = arn.split(':')
  const start = `arn:${partition}:sts::${account}:assumed-role/${arn.split('/').at(-1) ?? ''}/`
  return [...(named.get('AWS') ?? [])].some((name) => name.startsWith(start))
}

/**
 * Whether a deny with NotPrincipal leaves the principal alone. For certain where its account and each
 * of its own names stand there; with some of them only, it "might" be denied. One who carries a
 * boundary is never left alone.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
function spares(element: PrincipalElement, principal: Principal, hasBoundary: boolean): Truth {
  if (element.everybody) return 'yes'
  if (principal.kind === 'service' || principal.kind === 'web-identity') {
    return truth(namingOf(element, principal) !== null)
  }
  if (hasBoundary) return 'no'
  const account = namesAccount(element, principal)
  if (principal.kind === 'root') {
    return !account && mayNameAccount(element, principal) ? 'unknown' : truth(account)
  }
  const named = namesOf(principal).map((name) => element.named.get('AWS')?.has(name) ?? false)
  const whole = account && named.length > 0 && named.every((one) => one)
  if (whole && principal.kind !== 'role') return 'yes'
  return named.includes(true) || namesSomeSession(element, principal) ? 'unknown' : 'no'
}

/** Whether an allow with NotPrincipal, which AWS advises against, takes the principal in. */
function isLeft(element: PrincipalElement, principal: Principal): Truth {
  const naming = namingOf(element, principal)
  if (naming === 'account') return 'unknown'
  if (naming !== null) return 'no'
  const may = namesSomeSession(element, principal) || mayNameAccount(element, principal)
  return may ? 'unknown' : 'yes'
}

function namesOf({ arn, sessionArn }: Principal): string[] {
  return [arn, sessionArn].filter((name) => name !== undefined && name !== '') as string[]
}
