// Writes the wall on AWS's side as policy documents (red team C2): whom each role trusts, what the gate may
// do itself, what no role of an agent may ever do, and what nobody does in production without the gate's
// session tags. Pure: nothing is sent, and whoever applies them does so with rights of their own.
import type { JsonObject } from '@seconder/aws/call'
import { CommandFailure } from '../failure.ts'
import { packed, type Wanted } from './packed-reads.ts'

export interface WallFacts {
  /** Role or user that the gate is: an IAM ARN, never a session's. */
  readonly gate: string
  /** By name in the configuration. */
  readonly roles: Readonly<Record<string, string>>
  /** ARN patterns of people and workloads that go on without the gate. */
  readonly except: readonly string[]
  /** IAM prefixes whose reads stay open to everybody, the most wanted first. */
  readonly services: readonly string[]
}

export interface WallDocument {
  /** Name of the file, and of the policy where AWS keeps it under a name. */
  readonly name: string
  readonly kind: 'trust' | 'gate' | 'boundary' | 'scp'
  /** What it is for, in one sentence. */
  readonly about: string
  /** The ARN of the role or user that it is for, where it is for one. */
  readonly role?: string
  /** Compact JSON: all characters of a document count. */
  readonly text: string
}

/**
 * Characters of a document, white space counted.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (trust 2,048 by default,
 * managed policy 6,144) and
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html (SCP 5,120)
 */
export const CHARS_MAX = { trust: 2_048, gate: 6_144, boundary: 6_144, scp: 5_120 } as const

export interface Wall {
  readonly documents: readonly WallDocument[]
  /** Services whose reads did not fit into the SCP, and verbs that stand for more than reads. */
  readonly closedReads: readonly string[]
}

/** The documents. Errors: `too_large`, naming the document that does not fit into its quota. */
export function wallOf(facts: WallFacts): Wall {
  const trusts = Object.entries(facts.roles).map(([name, role]) =>
    document(
      `trust-${name}`,
      'trust',
      `who may assume the role ${name}`,
      trustOf(facts.gate),
      role,
    ),
  )
  const wanted = packed(facts.services, CHARS_MAX.scp - textOf(changesScp(facts, [])).length)
  return {
    documents: [
      ...trusts,
      document(
        'seconder-gate',
        'gate',
        'all that the gate may do itself',
        gateOf(facts),
        facts.gate,
      ),
      document(
        'seconder-agent-boundary',
        'boundary',
        'what no role of an agent may do, whoever approves',
        boundaryOf(facts),
      ),
      document(
        'seconder-changes',
        'scp',
        'denies all but reads to every principal that is not a role of the gate',
        changesScp(facts, wanted.patterns),
      ),
      document(
        'seconder-tags',
        'scp',
        "denies the gate's roles without its tags, and reads that answer with credentials",
        tagsScp(facts, wanted),
      ),
    ],
    closedReads: wanted.closed,
  }
}

function document(
  name: string,
  kind: WallDocument['kind'],
  about: string,
  statements: readonly JsonObject[],
  role?: string,
): WallDocument {
  const text = textOf(statements)
  if (text.length > CHARS_MAX[kind]) {
    throw new CommandFailure(
      'too_large',
      `${name} has ${text.length} characters, and AWS takes ${CHARS_MAX[kind]}`,
      kind === 'scp' ? 'name fewer principals with --except, by patterns' : 'configure fewer roles',
    )
  }
  return { name, kind, about, text, ...(role !== undefined && { role }) }
}

function textOf(statements: readonly JsonObject[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/**
 * The gate alone, and only as it asks: with a session of its naming, an operator and both tags. The other two
 * rights give nothing by themselves.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
 */
function trustOf(gate: string): JsonObject[] {
  const Principal = { AWS: gate }
  return [
    {
      Sid: 'OnlyTheGate',
      Effect: 'Allow',
      Principal,
      Action: 'sts:AssumeRole',
      Condition: {
        StringLike: { 'sts:RoleSessionName': ['s-*', 'check-*'] },
        Null: {
          'sts:SourceIdentity': 'false',
          'aws:RequestTag/seconder:agent': 'false',
          'aws:RequestTag/seconder:request': 'false',
        },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['seconder:agent', 'seconder:request'] },
      },
    },
    {
      Sid: 'WithItsTags',
      Effect: 'Allow',
      Principal,
      Action: ['sts:TagSession', 'sts:SetSourceIdentity'],
    },
  ]
}

function gateOf({ roles }: WallFacts): JsonObject[] {
  return [
    {
      Sid: 'LendTheseRoles',
      Effect: 'Allow',
      Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
      Resource: Object.values(roles),
    },
  ]
}

/**
 * A boundary allows nothing by itself. It leaves a role what its own policies give, less what would lead round
 * the gate: keys of its own, the gate's roles and boundary, and new roles without that boundary.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 */
function boundaryOf({ gate, roles }: WallFacts): JsonObject[] {
  const accounts = new Map(
    Object.values(roles).map((arn): [string, string] => [
      arn.split(':')[4] ?? '',
      arn.split(':')[1] ?? 'aws',
    ]),
  )
  const boundaries = [...accounts].map(
    ([account, partition]) => `arn:${partition}:iam::${account}:policy/seconder-agent-boundary`,
  )
  return [
    { Sid: 'WhatItsPoliciesGive', Effect: 'Allow', Action: '*', Resource: '*' },
    {
      Sid: 'NotTheGate',
      Effect: 'Deny',
      NotAction: ['iam:Get*', 'iam:List*', 'iam:Simulate*'],
      Resource: [
        gate,
        ...Object.values(roles),
        ...boundaries.map((arn) => arn.replace(/seconder-.*/, 'seconder-*')),
      ],
    },
    {
      Sid: 'NoKeysOfItsOwn',
      Effect: 'Deny',
      Action: [
        ...['iam:CreateAccessKey', 'iam:CreateLoginProfile', 'iam:CreateServiceSpecificCredential'],
        ...['iam:CreateUser', 'iam:UpdateLoginProfile', 'iam:DeleteRolePermissionsBoundary'],
        ...['iam:DeleteUserPermissionsBoundary', 'sts:AssumeRole', 'sts:GetFederationToken'],
      ],
      Resource: '*',
    },
    {
      Sid: 'NoRoleBeyondIt',
      Effect: 'Deny',
      Action: ['iam:CreateRole', 'iam:PutRolePermissionsBoundary'],
      Resource: '*',
      Condition: { StringNotEquals: { 'iam:PermissionsBoundary': boundaries } },
    },
  ]
}

/**
 * aws:PrincipalArn of a role's session is the role. Service-linked roles are never held by an SCP; they are
 * named so that a reader need not know. A tag alone would not do: whoever may tag a role could give it.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
 */
function changesScp({ gate, roles, except }: WallFacts, reads: readonly string[]): JsonObject[] {
  return [
    {
      Sid: 'ChangesThroughTheGate',
      Effect: 'Deny',
      NotAction: reads,
      Resource: '*',
      Condition: {
        ArnNotLike: {
          'aws:PrincipalArn': [...Object.values(roles), gate, serviceLinked(gate), ...except],
        },
      },
    },
  ]
}

function tagsScp({ gate, roles, except }: WallFacts, { credentials }: Wanted): JsonObject[] {
  const tagless: JsonObject = {
    Sid: 'RolesOfTheGateAsTheGateLends',
    Effect: 'Deny',
    Action: '*',
    Resource: '*',
    Condition: {
      ArnLike: { 'aws:PrincipalArn': Object.values(roles) },
      Null: { 'aws:PrincipalTag/seconder:request': 'true' },
    },
  }
  if (credentials.length === 0) return [tagless]
  const readable: JsonObject = {
    Sid: 'NoCredentialsByReading',
    Effect: 'Deny',
    Action: credentials,
    Resource: '*',
    Condition: {
      ArnNotLike: { 'aws:PrincipalArn': [gate, serviceLinked(gate), ...except] },
    },
  }
  return [tagless, readable]
}

function serviceLinked(gate: string): string {
  return `arn:${gate.split(':')[1] ?? 'aws'}:iam::*:role/aws-service-role/*`
}
