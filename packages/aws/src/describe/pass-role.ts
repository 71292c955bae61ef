// Finds the roles that a call hands to a service: members named like a role that hold a role's ARN.
// Each needs iam:PassRole on that role. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html

import type { CallResource, Json, JsonObject } from '../call.ts'
import { parseArn } from './arn.ts'
import { isObject } from './decode-json.ts'

/** Services whose role members are the object of the call, or a role to assume, never passed on. */
const NOT_PASSED = new Set(['iam', 'sts', 'access-analyzer', 'sso', 'signin'])
/** Members that hold the role of a service; what is no ARN of a role in them passes none. */
export const ROLE_MEMBER = /(?:^r|R)ole(?:Arn|ARN)?s?$/
/** Members that hold a role's ARN under a longer name (`RoleARNUpdate`, `iamRoleForDataSourceArn`). */
const ROLE_WORD = /(?:^r|R)ole/
/**
 * Members that take a role by its bare name. Its path is not said, so its ARN is not known.
 * Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
 */
const ROLE_NAME = 'DomainIAMRoleName'
/**
 * Settings that are sent as a name and a value, and so have no member of their own. Sources:
 * https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html,
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_OptionSetting.html,
 * https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/command-options-general.html
 */
const PAIRS: Readonly<Record<string, readonly [name: string, value: string]>> = {
  elasticbeanstalk: ['OptionName', 'Value'],
  rds: ['Name', 'Value'],
  sns: ['AttributeName', 'AttributeValue'],
}
const PAIR_ROLE = /role/i
const PAIR_PROFILE = /^IamInstanceProfile$/i
const INSTANCE_PROFILE = /^(?:iam|Iam|IAM)?InstanceProfile(?:Arn|Name)?$/
const DEPTH_MAX = 24

/** The roles, each once; `*` where only a name or an instance profile is given. */
export function passedRoles(prefix: string, parameters: JsonObject): CallResource[] {
  if (NOT_PASSED.has(prefix)) return []
  const found = new Map<string, CallResource>()
  visit(parameters, 0, Object.hasOwn(PAIRS, prefix) ? PAIRS[prefix] : undefined, found)
  return [...found.values()]
}

function visit(
  value: Json,
  depth: number,
  pair: readonly [string, string] | undefined,
  found: Map<string, CallResource>,
): void {
  if (depth > DEPTH_MAX) {
    addUnnamed(found)
    return
  }
  if (Array.isArray(value)) {
    for (const each of value) visit(each, depth + 1, pair, found)
    return
  }
  if (!isObject(value)) return
  if (pair !== undefined) visitPair(value[pair[0]], value[pair[1]], found)
  for (const name of Object.keys(value)) {
    const member = value[name] as Json
    // The plain searches are for what the patterns need, and are faster than they.
    if (name.includes('ole') && ROLE_WORD.test(name)) {
      if (name === ROLE_NAME && typeof member === 'string' && member !== '') addUnnamed(found)
      for (const text of Array.isArray(member) ? member : [member]) addRole(text, found)
    } else if (
      name.includes('Profile') &&
      INSTANCE_PROFILE.test(name) &&
      (typeof member === 'string' || isObject(member))
    ) {
      // The profile's role is not in the request.
      addUnnamed(found)
    }
    if (typeof member === 'object') visit(member, depth + 1, pair, found)
  }
}

/** A setting named like a role passes the one in its value, or one that only its name is given of. */
function visitPair(
  name: Json | undefined,
  value: Json | undefined,
  found: Map<string, CallResource>,
): void {
  if (typeof name !== 'string' || typeof value !== 'string' || value === '') return
  if (PAIR_PROFILE.test(name)) addUnnamed(found)
  else if (PAIR_ROLE.test(name) && !addRole(value, found)) addUnnamed(found)
}

function addUnnamed(found: Map<string, CallResource>): void {
  found.set('*', { arn: '*', type: 'role', resolved: false })
}

/** False where the text is no ARN of a role. */
function addRole(text: Json, found: Map<string, CallResource>): boolean {
  if (typeof text !== 'string') return false
  const arn = parseArn(text)
  if (arn?.service !== 'iam' || !arn.resource.startsWith('role/')) return false
  found.set(text, { arn: text, type: 'role', resolved: true })
  return true
}
