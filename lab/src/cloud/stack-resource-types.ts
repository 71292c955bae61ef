// What each resource type of a template does: its properties, which change needs a replacement, and
// how it is made, changed and deleted through the same DynamoDB and S3 that clients use.
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '@seconder/aws/call'
import type { DynamoDb } from './dynamodb.ts'
import { tableArn } from './dynamodb-tables.ts'
import { CloudError } from './errors.ts'
import { isObject, tagMap, without } from './json-input.ts'
import { PARTITION, roleArn } from './principal.ts'
import type { S3Buckets } from './s3-buckets.ts'
import type { PropertyChange } from './stack.ts'

export interface ResourceCall {
  readonly stackName: string
  readonly logicalId: string
  readonly region: string
  readonly nowMs: number
}

export interface ResourceType {
  /** Every property the lab carries out or records, and what its change needs. */
  readonly properties: Readonly<Record<string, PropertyChange['requiresRecreation']>>
  /** The property that names the resource, where the template may. */
  readonly nameProperty: string | undefined
  /** Whether changing a `Conditionally` property needs a replacement after all. */
  replaces?(property: string, before: Json | undefined, after: Json | undefined): boolean
  /** The physical id. */
  create(properties: JsonObject, call: ResourceCall): Promise<string>
  update(
    physicalId: string,
    before: JsonObject,
    after: JsonObject,
    call: ResourceCall,
  ): Promise<void>
  delete(physicalId: string, properties: JsonObject, call: ResourceCall): Promise<void>
  attribute(physicalId: string, name: string, region: string): string | undefined
}

export type ResourceTypes = ReadonlyMap<string, ResourceType>

/** `<stack>-<logical id>-<12 characters>`, as CloudFormation names what the template does not. */
function generatedName(call: ResourceCall): string {
  return `${call.stackName}-${call.logicalId}-${randomBytes(6).toString('hex').toUpperCase()}`
}

function named(properties: JsonObject, property: string, call: ResourceCall): string {
  const name = properties[property]
  if (name === undefined) return generatedName(call)
  if (typeof name === 'string' && name !== '') return name
  throw new CloudError('ValidationError', `${property} must be a string`)
}

/** Source: AWS::S3::Bucket, "Update requires" of each property. */
function bucketType(buckets: S3Buckets): ResourceType {
  const setVersioning = (name: string, properties: JsonObject) => {
    const configuration = properties['VersioningConfiguration']
    const status = isObject(configuration) ? configuration['Status'] : undefined
    const bucket = buckets.bucket(name)
    if (status === 'Enabled' || status === 'Suspended') bucket.versioning = status
    else if (bucket.versioning === 'Enabled') bucket.versioning = 'Suspended'
  }
  return {
    properties: { BucketName: 'Always', Tags: 'Never', VersioningConfiguration: 'Never' },
    nameProperty: 'BucketName',
    create: async (properties, call) => {
      const name = named(properties, 'BucketName', call).toLowerCase()
      await buckets.create(name, call.region, call.nowMs)
      setVersioning(name, properties)
      return name
    },
    update: async (name, _before, after) => setVersioning(name, after),
    // A bucket that is not empty fails the deletion, as in CloudFormation: BucketNotEmpty.
    delete: (name) => ignoreMissing('NoSuchBucket', buckets.delete(name)),
    attribute: (name, attribute) =>
      attribute === 'Arn' ? `arn:${PARTITION}:s3:::${name}` : undefined,
  }
}

/** Source: AWS::DynamoDB::Table, "Update requires" of each property. */
function tableType(dynamodb: DynamoDb): ResourceType {
  const setRecovery = async (name: string, properties: JsonObject, call: ResourceCall) => {
    const specification = properties['PointInTimeRecoverySpecification'] ?? {
      PointInTimeRecoveryEnabled: false,
    }
    const input = { TableName: name, PointInTimeRecoverySpecification: specification }
    await dynamodb.run(call.region, 'UpdateContinuousBackups', input, call.nowMs)
  }
  return {
    properties: {
      AttributeDefinitions: 'Conditionally',
      BillingMode: 'Never',
      DeletionProtectionEnabled: 'Never',
      GlobalSecondaryIndexes: 'Always',
      KeySchema: 'Always',
      LocalSecondaryIndexes: 'Always',
      PointInTimeRecoverySpecification: 'Never',
      ProvisionedThroughput: 'Never',
      TableName: 'Always',
      Tags: 'Never',
    },
    nameProperty: 'TableName',
    replaces: (_property, before, after) => {
      const kept = Array.isArray(before) ? (before as readonly Json[]) : []
      const now = Array.isArray(after) ? (after as readonly Json[]) : []
      return kept.some((one) => !now.some((other) => isDeepStrictEqual(one, other)))
    },
    create: async (properties, call) => {
      const name = named(properties, 'TableName', call)
      const input = {
        ...without(properties, ['PointInTimeRecoverySpecification']),
        TableName: name,
      }
      await dynamodb.run(call.region, 'CreateTable', input, call.nowMs)
      await dynamodb.tables.active(call.region, name)
      await setRecovery(name, properties, call)
      return name
    },
    update: async (name, before, after, call) => {
      const input: { [key: string]: Json } = { TableName: name }
      for (const member of ['BillingMode', 'ProvisionedThroughput']) {
        const value = after[member]
        if (value !== undefined && !isDeepStrictEqual(value, before[member])) input[member] = value
      }
      input['DeletionProtectionEnabled'] = after['DeletionProtectionEnabled'] ?? false
      await dynamodb.run(call.region, 'UpdateTable', input, call.nowMs)
      await setRecovery(name, after, call)
      dynamodb.tables.record(call.region, name).tags = tagMap(after, 'Tags')
    },
    delete: async (name, _properties, call) => {
      const input = { TableName: name }
      await ignoreMissing(
        'ResourceNotFoundException',
        dynamodb.run(call.region, 'DeleteTable', input, call.nowMs),
      )
      await dynamodb.tables.gone(call.region, name)
    },
    attribute: (name, attribute, region) =>
      attribute === 'Arn' ? tableArn(region, name) : undefined,
  }
}

/** Recorded only: the lab has no IAM, and its key table does not follow a stack. */
function roleType(): ResourceType {
  return {
    properties: {
      AssumeRolePolicyDocument: 'Never',
      Description: 'Never',
      ManagedPolicyArns: 'Never',
      MaxSessionDuration: 'Never',
      Path: 'Always',
      PermissionsBoundary: 'Never',
      Policies: 'Never',
      RoleName: 'Always',
      Tags: 'Never',
    },
    nameProperty: 'RoleName',
    create: async (properties, call) => named(properties, 'RoleName', call),
    update: async () => {},
    delete: async () => {},
    attribute: (name, attribute) => (attribute === 'Arn' ? roleArn(name) : undefined),
  }
}

/**
 * The custom resource that the CDK makes of `autoDeleteObjects: true`: before the bucket goes, its
 * objects and all their versions go. The CDK does it with a Lambda function; here the lab does.
 * Source: aws/aws-cdk
 * packages/@aws-cdk/custom-resource-handlers/lib/aws-s3/auto-delete-objects-handler
 */
function autoDeleteObjectsType(buckets: S3Buckets): ResourceType {
  const bucketName = (properties: JsonObject): string => {
    const name = properties['BucketName']
    if (typeof name === 'string') return name
    throw new CloudError('ValidationError', 'Custom::S3AutoDeleteObjects needs a BucketName')
  }
  return {
    properties: { BucketName: 'Never', ServiceToken: 'Always' },
    nameProperty: undefined,
    create: async (properties, call) => {
      buckets.bucket(bucketName(properties))
      return generatedName(call)
    },
    update: async () => {},
    delete: (_id, properties) =>
      ignoreMissing('NoSuchBucket', buckets.empty(bucketName(properties))),
    attribute: () => undefined,
  }
}

/** Deleting what somebody deleted already is done. */
async function ignoreMissing(code: string, deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion
  } catch (error) {
    if (!(error instanceof CloudError) || error.code !== code) throw error
  }
}

export const IAM_TYPES: readonly string[] = ['AWS::IAM::Role']

export function resourceTypes(dynamodb: DynamoDb, buckets: S3Buckets): ResourceTypes {
  return new Map([
    ['AWS::DynamoDB::Table', tableType(dynamodb)],
    ['AWS::IAM::Role', roleType()],
    ['AWS::S3::Bucket', bucketType(buckets)],
    ['Custom::S3AutoDeleteObjects', autoDeleteObjectsType(buckets)],
  ])
}
