// A boundary and an SCP for an agent's role: no other service than it used, no way to more rights, no hand
// on the gate. Neither allows anything by itself; what was used stays open.

import type { JsonObject } from '@seconder/aws/call'
import { globOf, relation } from '@seconder/aws/iam/glob'
import type { Identity } from './estate.ts'
import type { Need } from './grants.ts'
import { documentOf, isWithinLimit, type SizedPolicy, sized } from './sized.ts'

/**
 * What makes a principal more than it is, or another one.
 * Source: the rows of identity-rows.ts, and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 */
const UPWARDS = [
  'iam:AddUserToGroup',
  'iam:Attach*Policy',
  'iam:Create*Key',
  'iam:CreateLoginProfile',
  'iam:CreatePolicyVersion',
  'iam:CreateRole',
  'iam:CreateServiceSpecificCredential',
  'iam:CreateUser',
  'iam:Delete*PermissionsBoundary',
  'iam:Put*Policy',
  'iam:Put*PermissionsBoundary',
  'iam:SetDefaultPolicyVersion',
  'iam:UpdateAssumeRolePolicy',
  'iam:UpdateLoginProfile',
  'organizations:*',
  'sts:AssumeRole',
  'sts:GetFederationToken',
]

export interface Guards {
  readonly boundary: SizedPolicy
  readonly scp: SizedPolicy
  readonly notes: readonly string[]
}

export function guardsOf(
  identity: Identity,
  needs: readonly Need[],
  kept: readonly JsonObject[],
  limbs: readonly string[],
): Guards {
  const keptActions = kept.map(actionsIn)
  const actions = [...needs.map(({ action }) => action), ...keptActions.flat()]
  const services = [...new Set(actions.map((action) => `${action.split(':')[0]}:*`))].sort()
  // What is kept in another form than a list of actions may be of any service.
  const isOpen = keptActions.some((list) => list.length === 0) || services.includes('*:*')
  const used = isOpen ? ['*'] : services
  const closed = UPWARDS.filter((pattern) => !actions.some((action) => meets(pattern, action)))
  const upwards: JsonObject = { Sid: 'NoWayUp', Effect: 'Deny', Action: closed, Resource: '*' }
  const own = { ArnEquals: { 'aws:PrincipalArn': identity.arn } }
  const others: JsonObject = {
    Sid: 'NoOtherService',
    Effect: 'Deny',
    NotAction: used,
    Resource: '*',
  }
  const scp = documentOf([
    ...(isOpen ? [] : [{ ...others, Condition: own }]),
    { ...upwards, Condition: own },
  ])
  const allows: JsonObject = { Sid: 'WhatItUses', Effect: 'Allow', Action: used, Resource: '*' }
  const gate = gateStatement(needs, limbs)
  const name = `seconder-${identity.name}`
  const whole = sized(`${name}-boundary`, 'boundary', documentOf([allows, upwards, ...gate]))
  const isFitting = isWithinLimit(whole)
  return {
    boundary: isFitting ? whole : sized(whole.name, 'boundary', documentOf([allows, upwards])),
    scp: sized(`${name}-scp`, 'scp', scp),
    notes: isFitting
      ? []
      : [
          "The gate's limbs do not fit into the boundary: guard them by the SCP of `seconder init aws`.",
        ],
  }
}

/** Limbs that the role itself used stay open: its use is not to break. */
function gateStatement(needs: readonly Need[], limbs: readonly string[]): JsonObject[] {
  const globs = needs.map(({ resource }) => globOf(resource))
  const guarded = limbs.filter((arn) => {
    const limb = globOf(arn)
    return !globs.some((used) => relation(limb, used) !== 'no' && relation(used, limb) !== 'no')
  })
  if (guarded.length === 0) return []
  const NotAction = ['iam:Get*', 'iam:List*']
  return [{ Sid: 'NotTheGate', Effect: 'Deny', NotAction, Resource: guarded }]
}

function actionsIn(statement: JsonObject): string[] {
  const actions = statement['Action']
  const list = Array.isArray(actions) ? actions : [actions]
  return list.flatMap((each) => (typeof each === 'string' ? [each] : []))
}

function meets(left: string, right: string): boolean {
  return relation(globOf(left.toLowerCase()), globOf(right.toLowerCase())) !== 'no'
}
