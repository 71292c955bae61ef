// The policies of each user and role, from `aws iam get-account-authorization-details`. What is not as it
// should be is refused by its place: a policy left out would answer as if it said less.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html

import { readFileSync } from 'node:fs'
import type { Json } from '@seconder/aws/call'
import { PolicyError } from '@seconder/aws/iam/errors'
import { type Policy, type PolicyKind, parsePolicy } from '@seconder/aws/iam/policy'
import { z } from 'zod'
import { ReplayError } from '../errors.ts'

export const EXPORT_BYTES_MAX = 256 * 1024 * 1024

const DOCUMENT = z.union([z.string(), z.record(z.string(), z.unknown())])
const INLINE = z.object({ PolicyName: z.string(), PolicyDocument: DOCUMENT })
const ATTACHED = z.object({ PolicyArn: z.string() })
const BOUNDARY = z.object({ PermissionsBoundaryArn: z.string() })

const EXPORT = z.object({
  UserDetailList: z.array(
    z.object({
      Arn: z.string(),
      UserPolicyList: z.array(INLINE).default([]),
      GroupList: z.array(z.string()).default([]),
      AttachedManagedPolicies: z.array(ATTACHED).default([]),
      PermissionsBoundary: BOUNDARY.optional(),
    }),
  ),
  GroupDetailList: z.array(
    z.object({
      GroupName: z.string(),
      GroupPolicyList: z.array(INLINE).default([]),
      AttachedManagedPolicies: z.array(ATTACHED).default([]),
    }),
  ),
  RoleDetailList: z.array(
    z.object({
      Arn: z.string(),
      AssumeRolePolicyDocument: DOCUMENT,
      RolePolicyList: z.array(INLINE).default([]),
      AttachedManagedPolicies: z.array(ATTACHED).default([]),
      PermissionsBoundary: BOUNDARY.optional(),
    }),
  ),
  Policies: z.array(
    z.object({
      Arn: z.string(),
      PolicyVersionList: z.array(z.object({ IsDefaultVersion: z.boolean(), Document: DOCUMENT })),
    }),
  ),
  IsTruncated: z.boolean().optional(),
})

export interface Identity {
  readonly kind: 'user' | 'role'
  readonly policies: readonly Policy[]
  readonly boundary: Policy | null
  /** Who may assume it; null for a user. */
  readonly trust: Policy | null
}

/** Errors: `bad_export`, naming what is wrong. */
export function readIamExport(path: string): ReadonlyMap<string, Identity> {
  const parsed = EXPORT.safeParse(jsonOf(path))
  if (!parsed.success) throw bad(path, z.prettifyError(parsed.error).split('\n', 1)[0] ?? '')
  if (parsed.data.IsTruncated === true) throw bad(path, 'it is one page of several')
  try {
    return identitiesOf(parsed.data)
  } catch (cause) {
    if (cause instanceof URIError) throw bad(path, 'a policy in it is not encoded as it should be')
    if (!(cause instanceof PolicyError)) throw cause
    throw bad(path, `a policy in it: ${cause.message}`)
  }
}

function identitiesOf(data: z.infer<typeof EXPORT>): Map<string, Identity> {
  const managed = new Map<string, Json | string>()
  for (const { Arn, PolicyVersionList } of data.Policies) {
    const version = PolicyVersionList.find(({ IsDefaultVersion }) => IsDefaultVersion)
    if (version !== undefined) managed.set(Arn, documentOf(version.Document))
  }
  const named = (arn: string, kind: PolicyKind): Policy => {
    const document = managed.get(arn)
    if (document === undefined)
      throw new PolicyError('missing_element', `\`${arn}\` is not in the export`)
    return parsePolicy(document, kind, arn)
  }
  const own = (
    inline: readonly z.infer<typeof INLINE>[],
    attached: readonly z.infer<typeof ATTACHED>[],
  ): Policy[] => [
    ...inline.map((one) => parsePolicy(documentOf(one.PolicyDocument), 'identity', one.PolicyName)),
    ...attached.map(({ PolicyArn }) => named(PolicyArn, 'identity')),
  ]
  const bounded = (boundary: z.infer<typeof BOUNDARY> | undefined) =>
    boundary === undefined ? null : named(boundary.PermissionsBoundaryArn, 'boundary')
  const groups = new Map(
    data.GroupDetailList.map((group) => [
      group.GroupName,
      own(group.GroupPolicyList, group.AttachedManagedPolicies),
    ]),
  )
  const found = new Map<string, Identity>()
  for (const user of data.UserDetailList) {
    const ofGroups = user.GroupList.flatMap((name) => groups.get(name) ?? [])
    const policies = [...own(user.UserPolicyList, user.AttachedManagedPolicies), ...ofGroups]
    found.set(user.Arn, {
      kind: 'user',
      policies,
      boundary: bounded(user.PermissionsBoundary),
      trust: null,
    })
  }
  for (const role of data.RoleDetailList) {
    found.set(role.Arn, {
      kind: 'role',
      policies: own(role.RolePolicyList, role.AttachedManagedPolicies),
      boundary: bounded(role.PermissionsBoundary),
      trust: parsePolicy(documentOf(role.AssumeRolePolicyDocument), 'trust', role.Arn),
    })
  }
  return found
}

/** The API encodes documents as of a URL; the AWS CLI decodes them. Source: as above. */
function documentOf(document: z.infer<typeof DOCUMENT>): string | Json {
  if (typeof document !== 'string') return document as Json
  return document.trimStart().startsWith('{') ? document : decodeURIComponent(document)
}

function jsonOf(path: string): unknown {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > EXPORT_BYTES_MAX) throw new RangeError('too large')
    return JSON.parse(bytes.toString())
  } catch (cause) {
    throw new ReplayError('bad_export', `\`${path}\` cannot be read as JSON`, { cause })
  }
}

function bad(path: string, why: string): ReplayError {
  return new ReplayError('bad_export', `\`${path}\` is no whole export of IAM: ${why}`)
}
