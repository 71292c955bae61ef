// Makes a Finding of one resource of a stack or change set by its CloudFormation type: tables and
// buckets and kinds through their own look-ups, types that hold nothing as such, all else as not looked at.
import { quoted } from './amounts.ts'
import { lookAtBucket } from './bucket.ts'
import { lookAtKind } from './described.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Kind, Place, Target } from './kind.ts'
import { kindOfType } from './kinds.ts'
import type { Look } from './look.ts'
import { lookAtTable } from './table.ts'

export interface StackResource {
  readonly type: string
  readonly logicalId: string
  /** Absent until CloudFormation has made it. */
  readonly physicalId: string | null
}

// Kinds that hold no data of their own: made again from the template, they are what they were.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
const HOLDS_NOTHING = new Set([
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGateway::Stage',
  'AWS::CloudFormation::WaitConditionHandle',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::EC2::Route',
  'AWS::EC2::RouteTable',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::Subnet',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPC',
  'AWS::Events::Rule',
  'AWS::IAM::InstanceProfile',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::IAM::RolePolicy',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Permission',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
])

const TABLES = new Set(['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'])

/**
 * Nested stacks and custom resources act by themselves: what they would do is not in the list.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
 */
export function isOpaque(type: string): boolean {
  return (
    isNestedStack(type) ||
    type === 'AWS::CloudFormation::CustomResource' ||
    type === 'AWS::CloudFormation::Macro' ||
    type.startsWith('Custom::')
  )
}

export function isNestedStack(type: string): boolean {
  return type === 'AWS::CloudFormation::Stack'
}

/** Smaller is looked at first: what has a look-up of its own, and of that what holds data. */
export function rankOf({ type, physicalId }: StackResource): number {
  if (physicalId === null || holdsNothing(type)) return 3
  if (TABLES.has(type) || type === 'AWS::S3::Bucket') return 0
  const kind = kindOfType(type)
  if (kind === undefined) return 2
  return kind.data === 'never' ? 1 : 0
}

/** True for kinds that lose nothing by being deleted and made again. */
export function holdsNothing(type: string): boolean {
  return HOLDS_NOTHING.has(type)
}

/** `AWS::IAM::Role` is a `role`, `Custom::Seed` a `custom resource`. */
export function typeInWords(type: string): string {
  if (type === 'AWS::CloudFormation::Stack') return 'nested stack'
  if (isOpaque(type)) return 'custom resource'
  const last = type.slice(type.lastIndexOf(':') + 1)
  return last.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ').toLowerCase()
}

export interface ContainedLook {
  readonly finding: Finding
  /** Nothing was sent: there was no time or no room left. */
  readonly unlooked: boolean
  readonly tagged: boolean
}

/**
 * One row for the reviewer. `guarded`: the stack itself refuses to be deleted; `opened`: it is a nested
 * stack whose members have rows of their own.
 */
export async function lookAtContained(
  look: Look,
  place: Place,
  resource: StackResource,
  fate: Fate,
  { guarded, opened }: { readonly guarded: boolean; readonly opened: boolean },
): Promise<ContainedLook> {
  const looksAt = rankOf(resource) < 2 && fate !== 'created'
  if (looksAt && look.stopped !== null) {
    const finding = unknownFinding(resource, fate, guarded)
    return { finding, unlooked: true, tagged: false }
  }
  const seen = await seenOf(look, place, resource, fate, opened)
  const { finding } = seen
  return {
    finding: guarded ? { ...finding, protectedFromDeletion: true } : finding,
    unlooked: false,
    tagged: seen.tagged ?? false,
  }
}

function unknownFinding(resource: StackResource, fate: Fate, guarded: boolean): Finding {
  return {
    type: typeInWords(resource.type),
    name: resource.physicalId ?? resource.logicalId,
    fate,
    holds: null,
    holdsData: null,
    protectedFromDeletion: guarded ? true : null,
    lastBackup: null,
    undo: 'unknown',
  }
}

interface Seen {
  readonly finding: Finding
  readonly tagged?: boolean
}

async function seenOf(
  look: Look,
  place: Place,
  resource: StackResource,
  fate: Fate,
  opened: boolean,
): Promise<Seen> {
  const { type, physicalId } = resource
  const row = { type: typeInWords(type), name: physicalId ?? resource.logicalId, fate }
  const empty = {
    holdsData: false,
    protectedFromDeletion: false,
    lastBackup: '–',
    undo: 'yes',
  } as const
  const nothing: Seen = { finding: { ...row, ...empty, holds: '–' } }
  if (fate === 'created') return nothing
  if (physicalId === null) {
    return { finding: { ...row, ...empty, holds: 'nothing: it was never made' } }
  }
  const { region } = place
  if (TABLES.has(type)) {
    return { finding: (await lookAtTable(look, region, physicalId, fate, true)).finding }
  }
  if (type === 'AWS::S3::Bucket') {
    return { finding: (await lookAtBucket(look, region, physicalId, fate, true)).finding }
  }
  const kind = kindOfType(type)
  if (kind !== undefined) {
    const target = targetOf(kind, physicalId)
    return lookAtKind(look, place, kind, target, fate, null)
  }
  // Its members have rows of their own.
  if (holdsNothing(type) || opened) return nothing
  saysWhyNot(look, type, row.name)
  return { finding: unknownFinding(resource, fate, false) }
}

function saysWhyNot(look: Look, type: string, name: string): void {
  if (isNestedStack(type)) {
    look.missed(`nested stack ${quoted(name)} holds more than is listed here: it was not opened`)
  } else if (isOpaque(type)) {
    look.missed(`a resource of type ${quoted(type)} runs code of its own, which was not read`)
  } else {
    look.missed(`no look-up exists for ${quoted(type)} yet`)
  }
}

/** The physical id as the name of its kind, and what it is in where the id says both. */
function targetOf(kind: Kind, physicalId: string): Target {
  const groups = kind.physical?.exec(physicalId)?.groups
  const name = groups?.['name']
  return { name: name ?? physicalId, parent: groups?.['parent'] ?? null }
}
