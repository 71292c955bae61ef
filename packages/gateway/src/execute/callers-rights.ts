// Which calls make a service act with the caller's own rights, and which rights it then needs (red
// team H9, part 3). A call whose needed rights are not known is refused before it begins: with a policy
// that holds only the call itself, the service would fail half way. Pure tables.
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import type { Action, JsonObject } from '../describe/action.ts'
import { GatewayError } from '../errors.ts'
import type { Evidence } from '../resolve/evidence.ts'

/** What a service does on the caller's behalf: more actions, on these ARNs, only through it. */
export interface Forwarded {
  readonly actions: readonly string[]
  /** IAM patterns. */
  readonly arns: readonly string[]
  readonly condition: JsonObject
}

/**
 * Services that use a KMS key with the caller's rights (forward access sessions), by IAM prefix: the
 * value of kms:ViaService that they come with.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html and
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
const KMS_VIA: Readonly<Record<string, string>> = {
  dynamodb: 'dynamodb.*.amazonaws.com*',
  kinesis: 'kinesis.*.amazonaws.com*',
  lambda: 'lambda.*.amazonaws.com*',
  s3: 's3.*.amazonaws.com*',
  secretsmanager: 'secretsmanager.*.amazonaws.com*',
  sns: 'sns.*.amazonaws.com*',
  sqs: 'sqs.*.amazonaws.com*',
  ssm: 'ssm.*.amazonaws.com*',
}
const KMS_ACTIONS = ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey']

/**
 * Services whose resources carry aws:ResourceAccount. EBS, EventBridge, some of EC2 and WorkSpaces do
 * not; what often belongs to AWS itself (layers, images, public parameters) is left out too.
 * Source: IAM User Guide, reference_policies_condition-keys, aws:ResourceAccount, "Availability".
 */
const ACCOUNT_PINNED = new Set(['dynamodb', 'kinesis', 'kms', 's3', 'secretsmanager', 'sns', 'sqs'])

/** The service prefixes among `actions` whose resource account can be pinned (red team M8). */
export function accountPinned(actions: readonly string[]): string[] {
  const prefixes = actions.map((action) => action.split(':', 1)[0] ?? '')
  return [...new Set(prefixes)].filter((prefix) => ACCOUNT_PINNED.has(prefix)).sort()
}

/** The use of encryption keys that the service of a call makes with the caller's rights, if any. */
export function keysUsedFor(service: string): Forwarded | null {
  const via = Object.hasOwn(KMS_VIA, service) ? KMS_VIA[service] : undefined
  if (via === undefined) return null
  return {
    actions: KMS_ACTIONS,
    arns: ['*'],
    condition: { StringLike: { 'kms:ViaService': via } },
  }
}

const S3_RESULTS = ['s3:GetBucketLocation', 's3:GetObject']
const KEYS_OF_DATA = ['kms:Decrypt', 'kms:GenerateDataKey']

/**
 * Reads on which a service acts with the caller's rights, and what it then needs. Where the data lies is
 * in the catalog, so the names stay open; the condition lets Athena alone use them.
 * Sources, under https://docs.aws.amazon.com: athena/latest/ug/s3-permissions.html,
 * athena/latest/ug/fine-grained-access-to-glue-resources.html,
 * athena/latest/APIReference/API_GetQueryResults.html, aws-managed-policy/latest/reference/AmazonAthenaFullAccess.html;
 * athena/latest/ug/security-iam-athena-calledvia.html
 */
const READS_AS_CALLER: Readonly<Record<string, readonly string[]>> = {
  'athena:GetQueryResults': [...S3_RESULTS, ...KEYS_OF_DATA],
  'athena:StartQueryExecution': [
    ...['glue:BatchGetPartition', 'glue:GetDatabase', 'glue:GetDatabases', 'glue:GetPartition'],
    ...['glue:GetPartitions', 'glue:GetTable', 'glue:GetTables', 'lakeformation:GetDataAccess'],
    ...[...S3_RESULTS, ...KEYS_OF_DATA, 's3:AbortMultipartUpload', 's3:ListBucket'],
    // Its answer is an object in the place that the workgroup names; a call that names one is no read.
    ...['s3:ListBucketMultipartUploads', 's3:ListMultipartUploadParts', 's3:PutObject'],
  ],
}

/** What the service will do with the rights of the caller in this read; null where nothing. */
export function readsAsCaller(operation: string): Forwarded | null {
  if (!Object.hasOwn(READS_AS_CALLER, operation)) return null
  return {
    actions: READS_AS_CALLER[operation] ?? [],
    arns: ['*'],
    condition: { 'ForAnyValue:StringEquals': { 'aws:CalledVia': 'athena.amazonaws.com' } },
  }
}

/** Where a role of the service's own would be named. */
type How = 'stack' | 'role-member' | 'operations-role' | 'automation' | 'never'

/**
 * Calls that act with the caller's rights where no role of the service is given, and the words for it.
 * Sources, all under https://docs.aws.amazon.com: AWSCloudFormation/latest/UserGuide/
 * using-iam-servicerole.html; cloudcontrolapi/latest/userguide/resource-operations.html;
 * systems-manager/latest/userguide/automation-setup.html; athena/latest/ug/s3-permissions.html;
 * elasticbeanstalk/latest/dg/iam-operationsrole.html;
 * servicecatalog/latest/adminguide/constraints-launch.html.
 */
const ACTS_AS_CALLER: Readonly<Record<string, How>> = {
  'athena:StartQueryExecution': 'never',
  'cloudformation:ContinueUpdateRollback': 'stack',
  'cloudformation:CreateResource': 'role-member',
  'cloudformation:CreateStack': 'stack',
  'cloudformation:DeleteResource': 'role-member',
  'cloudformation:DeleteStack': 'stack',
  'cloudformation:ExecuteChangeSet': 'stack',
  'cloudformation:RollbackStack': 'stack',
  'cloudformation:UpdateResource': 'role-member',
  'cloudformation:UpdateStack': 'stack',
  'elasticbeanstalk:CreateEnvironment': 'operations-role',
  'elasticbeanstalk:RebuildEnvironment': 'never',
  'elasticbeanstalk:TerminateEnvironment': 'never',
  'elasticbeanstalk:UpdateEnvironment': 'never',
  'servicecatalog:ProvisionProduct': 'never',
  'servicecatalog:TerminateProvisionedProduct': 'never',
  'servicecatalog:UpdateProvisionedProduct': 'never',
  'ssm:StartAutomationExecution': 'automation',
}

/**
 * What the service will do with the rights of the caller in this call; empty where it does nothing, or
 * where a role of its own acts.
 * Errors: `not_narrowed` where it would act with rights that nobody can name beforehand.
 */
export function actsAsCaller(action: Action, evidence: Evidence): readonly Forwarded[] {
  const { operation } = action
  const how = Object.hasOwn(ACTS_AS_CALLER, operation) ? ACTS_AS_CALLER[operation] : undefined
  if (how === undefined || hasOwnRole(how, action, evidence)) return []
  if (operation === 'cloudformation:DeleteStack') {
    const deletions = deletionsOf(action, evidence)
    if (deletions !== null) return deletions
  }
  throw new GatewayError(
    'not_narrowed',
    `${operation} would act with the rights of the caller, and which ones it needs is not known beforehand; nothing was begun`,
    how === 'never'
      ? 'let the operator do this one; the gate cannot lend it rights that it cannot name'
      : 'give it a role of its own (CloudFormation and Cloud Control: RoleARN, Automation: AutomationAssumeRole), then run it again',
  )
}

function hasOwnRole(how: How, { parameters }: Action, { binding }: Evidence): boolean {
  switch (how) {
    case 'stack':
      // The stored role of the stack acts even where the call names none (red team C7).
      return isRole(parameters['RoleARN']) || isRole(member(binding['stack'], 'roleArn'))
    case 'role-member':
      return isRole(parameters['RoleArn'])
    case 'operations-role':
      return isRole(parameters['OperationsRole'])
    case 'automation': {
      const given = member(parameters['Parameters'], 'AutomationAssumeRole')
      return Array.isArray(given) && given.length === 1 && isRole(given[0])
    }
    case 'never':
      return false
  }
}

function isRole(value: unknown): boolean {
  return typeof value === 'string' && /^arn:[a-z-]+:iam::\d{12}:role\/.+$/.test(value)
}

function member(value: unknown, name: string): unknown {
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value)
  return isObject && Object.hasOwn(value, name) ? Object(value)[name] : undefined
}

interface Deletion {
  readonly actions: readonly string[]
  readonly arn: (physicalId: string, action: Action) => string | null
}

/**
 * Resource types whose deletion by CloudFormation is known whole: what its handler calls, and on what.
 * Source: the registry schema of each type, `handlers.delete.permissions`
 * (https://schema.cloudformation.us-east-1.amazonaws.com/CloudformationSchema.zip), reads included.
 */
const DELETIONS: Readonly<Record<string, Deletion>> = {
  'AWS::DynamoDB::Table': {
    actions: ['dynamodb:DeleteTable', 'dynamodb:DescribeTable'],
    arn: (id, { account, region }) =>
      /^[\w.-]{3,255}$/.test(id)
        ? `arn:${partitionOf(region)}:dynamodb:${region}:${account}:table/${id}`
        : null,
  },
  'AWS::S3::Bucket': {
    actions: ['s3:DeleteBucket', 's3:ListBucket'],
    arn: (id, { region }) =>
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(id)
        ? `arn:${partitionOf(region)}:s3:::${id}`
        : null,
  },
  'AWS::SQS::Queue': {
    actions: ['sqs:DeleteQueue', 'sqs:GetQueueAttributes'],
    arn: (id, { account, region }) => {
      const [, owner, name] = /^https:\/\/[^/?#]+\/(\d{12})\/([\w.-]{1,80})$/.exec(id) ?? []
      return owner === account
        ? `arn:${partitionOf(region)}:sqs:${region}:${account}:${name ?? ''}`
        : null
    },
  },
}

/** Types that call nothing when they go. Source: as above; they have no resource behind them. */
const NOTHING_TO_DELETE = new Set([
  'AWS::CDK::Metadata',
  'AWS::CloudFormation::WaitConditionHandle',
])

/** What DeleteStack will call for the resources that were looked up; null where one is not known. */
function deletionsOf(action: Action, { binding }: Evidence): Forwarded[] | null {
  if (member(binding['stack'], 'absent') === true) return []
  const resources = binding['resources']
  if (!Array.isArray(resources) || partitionOf(action.region) === undefined) return null
  const byType = new Map<string, string[]>()
  for (const resource of resources) {
    const type = member(resource, 'type')
    const physicalId = member(resource, 'physicalId')
    if (typeof type !== 'string') return null
    // Never made, so nothing is there to be deleted.
    if (NOTHING_TO_DELETE.has(type) || physicalId === null) continue
    const known = Object.hasOwn(DELETIONS, type) ? DELETIONS[type] : undefined
    const arn = typeof physicalId === 'string' ? known?.arn(physicalId, action) : null
    if (arn === null || arn === undefined) return null
    byType.set(type, [...(byType.get(type) ?? []), arn])
  }
  return [...byType].map(([type, arns]) => ({
    actions: DELETIONS[type]?.actions ?? [],
    arns,
    condition: {
      'ForAnyValue:StringEquals': { 'aws:CalledVia': 'cloudformation.amazonaws.com' },
    },
  }))
}
