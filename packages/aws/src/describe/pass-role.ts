// Finds the roles that a call hands to a service: members named like a role that hold a role's ARN.
// Each needs iam:PassRole on that role. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html

import type { CallResource, Json, JsonObject } from '../call.ts'
import { parseArn } from './arn.ts'
import { isObject } from './decode-json.ts'

/** Services whose role members are the object of the call, or a role to assume, never passed on. */
const NOT_PASSED = new Set(['iam', 'sts', 'access-analyzer', 'sso', 'signin'])
/** Members that hold the role of a service. */
export const ROLE_MEMBER = /(?:^r|R)ole(?:Arn|ARN)?s?$/
const INSTANCE_PROFILE = /^(?:iam|Iam|IAM)?InstanceProfile(?:Arn|Name)?$/
const DEPTH_MAX = 24

/** The roles, each once; `*` where only an instance profile is named. */
export function passedRoles(prefix: string, parameters: JsonObject): CallResource[] {
  if (NOT_PASSED.has(prefix)) return []
  const found = new Map<string, CallResource>()
  visit(parameters, 0, found)
  return [...found.values()]
}

function visit(value: Json, depth: number, found: Map<string, CallResource>): void {
  if (depth > DEPTH_MAX) {
    found.set('*', { arn: '*', type: 'role', resolved: false })
    return
  }
  if (Array.isArray(value)) {
    for (const each of value) visit(each, depth + 1, found)
    return
  }
  if (!isObject(value)) return
  for (const name of Object.keys(value)) {
    const member = value[name] as Json
    // The plain searches are for what both patterns need, and are faster than they.
    if (name.includes('ole') && ROLE_MEMBER.test(name)) {
      for (const text of Array.isArray(member) ? member : [member]) addRole(text, found)
    } else if (
      name.includes('Profile') &&
      INSTANCE_PROFILE.test(name) &&
      (typeof member === 'string' || isObject(member))
    ) {
      // The profile's role is not in the request.
      found.set('*', { arn: '*', type: 'role', resolved: false })
    }
    if (typeof member === 'object') visit(member, depth + 1, found)
  }
}

function addRole(text: Json, found: Map<string, CallResource>): void {
  if (typeof text !== 'string') return
  const arn = parseArn(text)
  if (arn?.service !== 'iam' || !arn.resource.startsWith('role/')) return
  found.set(text, { arn: text, type: 'role', resolved: true })
}
