// Makes a Finding of one resource of a stack or change set by its CloudFormation type: tables and
// buckets through their own look-ups, kinds that hold nothing as such, all else as not looked at.
import { quoted } from './amounts.ts'
import { lookAtBucket } from './bucket.ts'
import type { Fate, Finding } from './evidence.ts'
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
    type === 'AWS::CloudFormation::Stack' ||
    type === 'AWS::CloudFormation::CustomResource' ||
    type === 'AWS::CloudFormation::Macro' ||
    type.startsWith('Custom::')
  )
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

/** One row for the reviewer. `parentProtected`: the stack itself refuses to be deleted. */
export async function lookAtContained(
  look: Look,
  region: string,
  resource: StackResource,
  fate: Fate,
  parentProtected: boolean,
): Promise<Finding> {
  const finding = await findingOf(look, region, resource, fate)
  return parentProtected ? { ...finding, protectedFromDeletion: true } : finding
}

async function findingOf(
  look: Look,
  region: string,
  resource: StackResource,
  fate: Fate,
): Promise<Finding> {
  const { type, physicalId } = resource
  const row = { type: typeInWords(type), name: physicalId ?? resource.logicalId, fate }
  const empty = {
    holdsData: false,
    protectedFromDeletion: false,
    lastBackup: '–',
    undo: 'yes',
  } as const
  if (fate === 'created') return { ...row, ...empty, holds: '–' }
  if (physicalId === null) return { ...row, ...empty, holds: 'nothing: it was never made' }
  if (TABLES.has(type)) return (await lookAtTable(look, region, physicalId, fate, true)).finding
  if (type === 'AWS::S3::Bucket') {
    return (await lookAtBucket(look, region, physicalId, fate, true)).finding
  }
  if (holdsNothing(type)) return { ...row, ...empty, holds: '–' }
  if (isOpaque(type)) {
    look.missed(
      type === 'AWS::CloudFormation::Stack'
        ? `nested stack ${quoted(row.name)} holds more than is listed here: it was not opened`
        : `a resource of type ${quoted(type)} runs code of its own, which was not read`,
    )
  } else {
    look.missed(`no look-up exists for ${quoted(type)} yet`)
  }
  return {
    ...row,
    holds: null,
    holdsData: null,
    protectedFromDeletion: null,
    lastBackup: null,
    undo: 'unknown',
  }
}
