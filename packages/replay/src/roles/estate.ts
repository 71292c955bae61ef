// The nouns of an audit: who is in the accounts, with which policies, as an export of IAM says. What
// could not be read is part of it by name, so that nobody takes silence for safety.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html

import type { Json } from '@seconder/aws/call'

export interface Document {
  /** Name of an inline policy, ARN of a managed one. */
  readonly name: string
  readonly json: Json
}

/** A user or a role. */
export interface Identity {
  readonly kind: 'user' | 'role'
  readonly arn: string
  readonly account: string
  readonly name: string
  readonly tags: ReadonlyMap<string, string>
  /** Names of groups in the same account. */
  readonly groups: readonly string[]
  readonly inline: readonly Document[]
  /** ARNs of managed policies. */
  readonly attached: readonly string[]
  readonly boundary: string | null
  /** Of a role; null where the export does not say it. */
  readonly trust: Json | null
  /** ARNs of instance profiles that hold the role. */
  readonly instanceProfiles: readonly string[]
  /** ISO date of the last use of a role, as IAM tracks it; null = not said. */
  readonly lastUsed: string | null
  /** `AWSServiceRoleFor...`: lent to a service by AWS; neither SCPs nor anybody's PassRole hold for it. */
  readonly serviceLinked: boolean
  /** What of it could not be read, in words; policies apart. */
  readonly unread: readonly string[]
}

export interface Group {
  readonly arn: string
  readonly account: string
  readonly name: string
  readonly inline: readonly Document[]
  readonly attached: readonly string[]
  /** What of it could not be read, in words. */
  readonly unread: readonly string[]
}

export interface ManagedPolicy {
  readonly arn: string
  readonly name: string
  /** The default version; null where the export lacks it. */
  readonly json: Json | null
  /** Versions beside the default one. */
  readonly others: readonly { readonly id: string; readonly json: Json }[]
}

/**
 * - `cut`: the export ends before its end
 * - `broken`: what stands there is not JSON
 * - `unreadable_entry`: a user, role, group or policy that could not be read
 * - `missing_list`: one of the four lists is not in the export
 * - `twice`: one ARN with two different contents; the later one counts
 * - `truncated_page`: the export says that there is more (`IsTruncated`)
 * - `organization`: something of the organizations export could not be used
 */
export type FaultKind =
  | 'cut'
  | 'broken'
  | 'unreadable_entry'
  | 'missing_list'
  | 'twice'
  | 'truncated_page'
  | 'organization'

export interface Fault {
  readonly kind: FaultKind
  /** `file.json: RoleDetailList[3]`. */
  readonly where: string
  readonly what: string
}

export interface Estate {
  readonly identities: ReadonlyMap<string, Identity>
  /** By `ACCOUNT/NAME`. */
  readonly groups: ReadonlyMap<string, Group>
  readonly policies: ReadonlyMap<string, ManagedPolicy>
  /** Accounts with at least one identity of their own. */
  readonly accounts: ReadonlySet<string>
  readonly faults: readonly Fault[]
  /** Nothing is cut, missing or left out of it. */
  readonly whole: boolean
}

/** The twelve digits in an ARN; empty where it has none. */
export function accountIn(arn: string): string {
  const account = arn.split(':')[4] ?? ''
  return /^\d{12}$/.test(account) ? account : ''
}

export function partitionIn(arn: string): string {
  return arn.split(':')[1] || 'aws'
}
