// Answers of AWS for tests, in the shapes of the API references' own examples (addresses beside each);
// names and numbers are ours.

import { jsonAnswer, s3Error, xmlAnswer } from './scripted-upstream.fixture.ts'
import type { UpstreamAnswer } from './upstream.ts'

export interface TableFacts {
  readonly name: string
  readonly items: number
  readonly bytes: number
  readonly guarded?: boolean
  readonly id?: string
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html#API_DescribeTable_Examples */
export function describedTable(table: TableFacts): UpstreamAnswer {
  const id = table.id ?? '12345678-0123-4567-a123-abcdefghijkl'
  return jsonAnswer(`{"Table": {
    "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/${table.name}",
    "AttributeDefinitions": [{"AttributeName": "report", "AttributeType": "S"}],
    "CreationDateTime": 1363729002.358,
    "DeletionProtectionEnabled": ${table.guarded ?? false},
    "ItemCount": ${table.items},
    "KeySchema": [{"AttributeName": "report", "KeyType": "HASH"}],
    "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    "TableId": "${id}",
    "TableName": "${table.name}",
    "TableSizeBytes": ${table.bytes},
    "TableStatus": "ACTIVE"
  }}`)
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery.Tutorial.html */
export const RECOVERY_OFF = jsonAnswer(`{"ContinuousBackupsDescription": {
  "ContinuousBackupsStatus": "ENABLED",
  "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}}}`)

export const RECOVERY_ON = jsonAnswer(`{"ContinuousBackupsDescription": {
  "ContinuousBackupsStatus": "ENABLED",
  "PointInTimeRecoveryDescription": {
    "PointInTimeRecoveryStatus": "ENABLED",
    "EarliestRestorableDateTime": 1519257118.0,
    "LatestRestorableDateTime": 1520018653.01}}}`)

export const NO_BACKUPS = jsonAnswer(`{"BackupSummaries": []}`)

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BackupSummary.html */
export function backups(
  entries: readonly { at: number; status?: string; tableId?: string }[],
  next: string | null = null,
): UpstreamAnswer {
  return jsonAnswer({
    BackupSummaries: entries.map((entry) => ({
      TableName: 'orders',
      TableId: entry.tableId ?? '12345678-0123-4567-a123-abcdefghijkl',
      BackupArn:
        'arn:aws:dynamodb:eu-west-1:123456789012:table/orders/backup/01489602797149-73d8d5bc',
      BackupName: 'nightly',
      BackupCreationDateTime: entry.at,
      BackupStatus: entry.status ?? 'AVAILABLE',
      BackupType: 'USER',
      BackupSizeBytes: 2048,
    })),
    ...(next === null ? {} : { LastEvaluatedBackupArn: next }),
  })
}

const S3_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html#API_GetBucketVersioning_Examples */
export function versioning(status: 'Enabled' | 'Suspended' | null): UpstreamAnswer {
  return xmlAnswer(
    status === null
      ? `<VersioningConfiguration ${S3_NAMESPACE}/>`
      : `<VersioningConfiguration ${S3_NAMESPACE}><Status>${status}</Status></VersioningConfiguration>`,
  )
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html#API_ListObjectsV2_Examples */
export function listing(count: number, bytesEach: number, next: string | null): UpstreamAnswer {
  const objects = Array.from(
    { length: count },
    (_, at) =>
      `<Contents><Key>report-${at}.csv</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>"fba9dede5f27731c9771645a39863328"</ETag><Size>${bytesEach}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  )
  const token = next === null ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`
  return xmlAnswer(
    `<ListBucketResult ${S3_NAMESPACE}><Name>reports</Name><Prefix/>${token}<KeyCount>${count}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>${next !== null}</IsTruncated>${objects.join('')}</ListBucketResult>`,
  )
}

export const NO_OBJECT_LOCK = s3Error('ObjectLockConfigurationNotFoundError', 404)

const CFN_NAMESPACE = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'

export const STACK_ID =
  'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/aaf549a0-a413-11df-adb3-5081b3858e83'

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html#API_DescribeStacks_Examples */
export function describedStack(
  more: { roleArn?: string; guarded?: boolean; status?: string } = {},
): UpstreamAnswer {
  const role = more.roleArn === undefined ? '' : `<RoleARN>${more.roleArn}</RoleARN>`
  return xmlAnswer(`<DescribeStacksResponse ${CFN_NAMESPACE}>
  <DescribeStacksResult>
    <Stacks>
      <member>
        <StackName>shop</StackName>
        <StackId>${STACK_ID}</StackId>
        <CreationTime>2010-07-27T22:28:28Z</CreationTime>
        <StackStatus>${more.status ?? 'CREATE_COMPLETE'}</StackStatus>
        <DisableRollback>false</DisableRollback>${role}
        <EnableTerminationProtection>${more.guarded ?? false}</EnableTerminationProtection>
        <Outputs><member><OutputKey>StartPage</OutputKey><OutputValue>SECRET-WORDS</OutputValue></member></Outputs>
      </member>
    </Stacks>
  </DescribeStacksResult>
  <ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata>
</DescribeStacksResponse>`)
}

export type ListedResource = readonly [logicalId: string, type: string, physicalId: string]

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html#API_ListStackResources_Examples */
export function stackResources(
  resources: readonly ListedResource[],
  next: string | null = null,
): UpstreamAnswer {
  const members = resources.map(
    ([logicalId, type, physicalId]) => `<member>
        <ResourceStatus>CREATE_COMPLETE</ResourceStatus>
        <LogicalResourceId>${logicalId}</LogicalResourceId>
        <LastUpdatedTimestamp>2011-06-21T20:15:58Z</LastUpdatedTimestamp>
        <PhysicalResourceId>${physicalId}</PhysicalResourceId>
        <ResourceType>${type}</ResourceType>
      </member>`,
  )
  const token = next === null ? '' : `<NextToken>${next}</NextToken>`
  return xmlAnswer(`<ListStackResourcesResponse ${CFN_NAMESPACE}>
  <ListStackResourcesResult>
    <StackResourceSummaries>${members.join('')}</StackResourceSummaries>${token}
  </ListStackResourcesResult>
  <ResponseMetadata><RequestId>2d06e36c-ac1d-11e0-a958-f9382b6eb86b</RequestId></ResponseMetadata>
</ListStackResourcesResponse>`)
}

export interface ListedChange {
  readonly action: string
  readonly type: string
  readonly logicalId: string
  readonly physicalId?: string
  readonly replacement?: string
  readonly policyAction?: string
}

export const CHANGE_SET_ID =
  'arn:aws:cloudformation:eu-west-1:123456789012:changeSet/fix/12a3b456-0e10-4ce0-9052-5d484a8c4e5b'

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html#API_DescribeChangeSet_Examples */
export function changeSet(
  changes: readonly ListedChange[],
  next: string | null = null,
  id = CHANGE_SET_ID,
): UpstreamAnswer {
  const element = (name: string, value: string | undefined) =>
    value === undefined ? '' : `<${name}>${value}</${name}>`
  const members = changes.map(
    (change) => `<member>
        <ResourceChange>
          ${element('Replacement', change.replacement)}
          <Scope><member>Tags</member></Scope>
          <Details><member><ChangeSource>DirectModification</ChangeSource><Target><Attribute>Tags</Attribute><RequiresRecreation>Never</RequiresRecreation></Target><Evaluation>Static</Evaluation></member></Details>
          <LogicalResourceId>${change.logicalId}</LogicalResourceId>
          <Action>${change.action}</Action>${element('PolicyAction', change.policyAction)}
          ${element('PhysicalResourceId', change.physicalId)}
          <ResourceType>${change.type}</ResourceType>
        </ResourceChange>
        <Type>Resource</Type>
      </member>`,
  )
  return xmlAnswer(`<DescribeChangeSetResponse ${CFN_NAMESPACE}>
  <DescribeChangeSetResult>
    <StackId>${STACK_ID}</StackId>
    <Status>CREATE_COMPLETE</Status>
    <ChangeSetName>fix</ChangeSetName>
    <ChangeSetId>${id}</ChangeSetId>
    <ExecutionStatus>AVAILABLE</ExecutionStatus>
    <Changes>${members.join('')}</Changes>
    <StackName>shop</StackName>${element('NextToken', next ?? undefined)}
  </DescribeChangeSetResult>
  <ResponseMetadata><RequestId>b9b4b068</RequestId></ResponseMetadata>
</DescribeChangeSetResponse>`)
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html#API_GetTemplate_Examples */
export function template(body: string): UpstreamAnswer {
  const escaped = body.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
  return xmlAnswer(`<GetTemplateResponse ${CFN_NAMESPACE}>
  <GetTemplateResult>
    <TemplateBody>${escaped}</TemplateBody>
    <StagesAvailable><member>Original</member><member>Processed</member></StagesAvailable>
  </GetTemplateResult>
  <ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata>
</GetTemplateResponse>`)
}
