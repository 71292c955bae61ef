// The Principal and NotPrincipal of a policy, and how near to the asking principal it names it: an
// allow for the session itself reaches further than one for its role, or for its whole account.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

import type { Json } from '../call.ts'
import { PolicyError } from './errors.ts'
import type { Principal } from './request.ts'

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

/** How the element names the principal; null = not at all. For NotPrincipal see `excludes`. */
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
    return principal.kind === 'session' || principal.kind === 'role' ? 'role' : 'direct'
  }
  return namesAccount(element, principal) ? 'account' : null
}

function namesAccount({ named }: PrincipalElement, { account, arn }: Principal): boolean {
  const aws = named.get('AWS')
  if (aws === undefined || account === '') return false
  const partition = arn.split(':')[1] || 'aws'
  return aws.has(account) || aws.has(`arn:${partition}:iam::${account}:root`)
}

/**
 * Whether NotPrincipal leaves the principal alone: its account and each of its own names must stand
 * there, and it may carry no boundary.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
export function excludes(
  element: PrincipalElement,
  principal: Principal,
  hasBoundary: boolean,
): boolean {
  if (element.everybody) return true
  if (principal.kind === 'service' || principal.kind === 'web-identity') {
    return namingOf(element, principal) !== null
  }
  if (hasBoundary || !namesAccount(element, principal)) return false
  if (principal.kind === 'root') return true
  const aws = element.named.get('AWS')
  const names = [principal.arn, principal.sessionArn].filter((name) => name !== undefined)
  return names.length > 0 && names.every((name) => aws?.has(name))
}
