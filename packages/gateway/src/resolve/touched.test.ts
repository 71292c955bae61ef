// What the tables of kinds make of AWS's answers; those are in the shapes of the API references' examples.
import type { JsonObject } from '@seconder/aws/call'
import { expect, test } from 'vitest'
import type { Effect } from '../describe/action.ts'
import { bindingRead } from './binding.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  jsonAnswer,
  queryError,
  type Script,
  scriptedUpstream,
  xmlAnswer,
} from './scripted-upstream.fixture.ts'
import { MAX_TARGETS } from './touched.ts'

async function seen(
  operation: string,
  parameters: JsonObject,
  script: Script,
  effects: readonly Effect[] = ['write'],
) {
  const upstream = scriptedUpstream(script)
  const evidence = await resolve(awsAction(operation, parameters, effects), upstream)
  return { evidence, upstream, finding: evidence.findings[0] }
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html */
const DATABASE = (members = '') =>
  xmlAnswer(`<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
  <DescribeDBInstancesResult><DBInstances><DBInstance>
    <DBInstanceIdentifier>orders</DBInstanceIdentifier>
    <DbiResourceId>db-ABCDEFGHIJKL</DbiResourceId>
    <DBInstanceArn>arn:aws:rds:eu-west-1:123456789012:db:orders</DBInstanceArn>
    <Engine>postgres</Engine><EngineVersion>16.3</EngineVersion>
    <AllocatedStorage>200</AllocatedStorage>
    <BackupRetentionPeriod>7</BackupRetentionPeriod>
    <LatestRestorableTime>2026-11-26T09:55:00Z</LatestRestorableTime>
    <ReadReplicaDBInstanceIdentifiers>
      <ReadReplicaDBInstanceIdentifier>orders-eu</ReadReplicaDBInstanceIdentifier>
    </ReadReplicaDBInstanceIdentifiers>${members}
  </DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>`)
const UNGUARDED = '<DeletionProtection>false</DeletionProtection>'
const SNAPSHOTS = (inner = '') =>
  xmlAnswer(`<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><DBSnapshots>${inner}
  </DBSnapshots></DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>`)
const NO_POINTS = jsonAnswer({ RecoveryPoints: [] })
const RDS: Script = {
  'rds:DescribeDBInstances': DATABASE(UNGUARDED),
  'rds:DescribeDBSnapshots': SNAPSHOTS(),
  'backup:GET': NO_POINTS,
}
const DELETE_DB = { DBInstanceIdentifier: 'orders', SkipFinalSnapshot: true }

test('a database that would go is named with engine, size, replica, and that no backup outlives it', async () => {
  const { evidence, finding } = await seen('rds:DeleteDBInstance', DELETE_DB, RDS, ['destroy'])
  expect(finding).toEqual({
    type: 'database',
    name: 'orders',
    fate: 'deleted',
    holds: 'postgres · 16.3 · 200 GiB',
    holdsData: true,
    protectedFromDeletion: false,
    lastBackup: 'none',
    undo: 'no',
    usedBy: ['replica `orders-eu`'],
    notes: ['no final snapshot is made: SkipFinalSnapshot is true'],
  })
  expect(evidence.couldNotLook).toEqual([])
  expect(evidence.binding).toEqual({
    things: [
      {
        kind: 'database',
        name: 'orders',
        id: {
          DbiResourceId: 'db-ABCDEFGHIJKL',
          DBInstanceArn: 'arn:aws:rds:eu-west-1:123456789012:db:orders',
          DBClusterIdentifier: [],
        },
      },
    ],
  })
})

test('automated backups count only where the call keeps them', async () => {
  const kept = { ...DELETE_DB, DeleteAutomatedBackups: false }
  const { finding } = await seen('rds:DeleteDBInstance', kept, RDS)
  expect(finding).toMatchObject({ lastBackup: '2026-11-26T09:55:00.000Z', undo: 'from-backup' })
  const gone = { ...DELETE_DB, DeleteAutomatedBackups: true }
  expect((await seen('rds:DeleteDBInstance', gone, RDS)).finding).toMatchObject({ undo: 'no' })
})

test('a manual snapshot, a recovery point of AWS Backup and a final snapshot restore it', async () => {
  const snapshot = `<DBSnapshot><Status>available</Status><SnapshotCreateTime>2026-11-01T00:00:00Z</SnapshotCreateTime></DBSnapshot>`
  const half = `<DBSnapshot><Status>creating</Status><SnapshotCreateTime>2026-11-25T00:00:00Z</SnapshotCreateTime></DBSnapshot>`
  const manual = { ...RDS, 'rds:DescribeDBSnapshots': SNAPSHOTS(snapshot + half) }
  expect((await seen('rds:DeleteDBInstance', DELETE_DB, manual)).finding).toMatchObject({
    lastBackup: '2026-11-01T00:00:00.000Z',
    undo: 'from-backup',
  })
  const points = [
    { Status: 'COMPLETED', CreationDate: 1_790_000_000.5 },
    { Status: 'EXPIRED', CreationDate: 1_795_000_000 },
  ]
  const backed = { ...RDS, 'backup:GET': jsonAnswer({ RecoveryPoints: points }) }
  expect((await seen('rds:DeleteDBInstance', DELETE_DB, backed)).finding).toMatchObject({
    lastBackup: new Date(1_790_000_000_500).toISOString(),
    undo: 'from-backup',
  })
  const last = { DBInstanceIdentifier: 'orders', FinalDBSnapshotIdentifier: 'last' }
  expect((await seen('rds:DeleteDBInstance', last, RDS)).finding).toMatchObject({
    lastBackup: 'none',
    undo: 'from-backup',
    notes: ['a final snapshot is made first'],
  })
})

test('H6 fewer days of backups destroy, more do not, and both values are shown', async () => {
  const cut = { DBInstanceIdentifier: 'orders', BackupRetentionPeriod: 1 }
  const { evidence, finding } = await seen('rds:ModifyDBInstance', cut, RDS)
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(finding).toMatchObject({
    undo: 'no',
    notes: ['days of backups kept: 7 now, 1 after'],
  })
  expect(evidence.before).toEqual({
    things: [
      { name: 'orders', settings: { BackupRetentionPeriod: '7', DeletionProtection: 'false' } },
    ],
  })
  const raised = { DBInstanceIdentifier: 'orders', BackupRetentionPeriod: 14 }
  expect((await seen('rds:ModifyDBInstance', raised, RDS)).evidence.addedEffects).toEqual([])
  const same = { DBInstanceIdentifier: 'orders', BackupRetentionPeriod: 7 }
  const again = await seen('rds:ModifyDBInstance', same, RDS)
  expect(again.evidence.addedEffects).toEqual([])
  expect(again.finding?.notes).toBeUndefined()
})

test('a setting that could not be read counts as cut, and an absent database as nothing', async () => {
  const cut = { DBInstanceIdentifier: 'orders', BackupRetentionPeriod: 35 }
  const unread = (await seen('rds:ModifyDBInstance', cut, {})).evidence
  expect(unread.addedEffects).toEqual(['destroy'])
  expect(bindingRead(unread)).toBe(false)
  expect(unread.couldNotLook).toEqual([
    'could not read database `orders`: the role of this session may not look',
  ])
  const absent = { 'rds:DescribeDBInstances': queryError('DBInstanceNotFound', 404) }
  const { evidence, finding } = await seen('rds:DeleteDBInstance', DELETE_DB, absent)
  expect(evidence.addedEffects).toEqual([])
  expect(finding).toMatchObject({ holds: 'nothing: it does not exist', undo: 'yes' })
  expect(bindingRead(evidence)).toBe(true)
})

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
const INSTANCES =
  xmlAnswer(`<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
 <requestId>8f7724cf</requestId><reservationSet><item><reservationId>r-1</reservationId><instancesSet><item>
  <instanceId>i-1234567890abcdef0</instanceId><instanceState><code>16</code><name>running</name></instanceState>
  <instanceType>m5.large</instanceType><launchTime>2026-01-02T03:04:05.000Z</launchTime>
  <placement><availabilityZone>eu-west-1a</availabilityZone></placement>
  <blockDeviceMapping><item><ebs><volumeId>vol-1</volumeId></ebs></item></blockDeviceMapping>
  <tagSet><item><key>Name</key><value>checkout</value></item><item><key>env</key><value>prod</value></item>
   <item><key>secret-of-somebody</key><value>hunter2</value></item>
   <item><key>aws:cloudformation:stack-name</key><value>shop</value></item></tagSet>
 </item></instancesSet></item></reservationSet></DescribeInstancesResponse>`)
const EC2: Script = {
  'ec2:DescribeInstances': INSTANCES,
  'ec2:DescribeInstanceAttribute': xmlAnswer(
    '<DescribeInstanceAttributeResponse><instanceId>i-1</instanceId><disableApiTermination><value>true</value></disableApiTermination></DescribeInstanceAttributeResponse>',
  ),
  'ec2:DescribeVolumes': xmlAnswer(`<DescribeVolumesResponse><volumeSet>
   <item><size>80</size><attachmentSet><item><deleteOnTermination>true</deleteOnTermination></item></attachmentSet></item>
   <item><size>500</size><attachmentSet><item><deleteOnTermination>false</deleteOnTermination></item></attachmentSet></item>
  </volumeSet></DescribeVolumesResponse>`),
  'autoscaling:DescribeAutoScalingInstances':
    xmlAnswer(`<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult><AutoScalingInstances>
   <member><AutoScalingGroupName>web</AutoScalingGroupName></member></AutoScalingInstances>
   </DescribeAutoScalingInstancesResult></DescribeAutoScalingInstancesResponse>`),
  'backup:GET': NO_POINTS,
}

test('an instance is shown with its disks, its group, its stack, and no other tag', async () => {
  const parameters = { InstanceIds: ['i-1234567890abcdef0'] }
  const { evidence, finding } = await seen('ec2:TerminateInstances', parameters, EC2, ['destroy'])
  expect(finding).toEqual({
    type: 'instance',
    name: 'i-1234567890abcdef0',
    fate: 'deleted',
    holds:
      'm5.large · eu-west-1a · running · 1 volume that goes with it (80 GiB) · 1 volume that stays (500 GiB)',
    holdsData: true,
    protectedFromDeletion: true,
    lastBackup: 'none',
    undo: 'no',
    usedBy: ['stack `shop`', 'Auto Scaling group `web`'],
    notes: [
      'named `checkout`',
      'its tag `env` says `prod`',
      'it belongs to stack `shop`: changed here, the stack is left out of step',
    ],
  })
  expect(evidence.taggedProduction).toBe(true)
  expect(JSON.stringify(evidence)).not.toContain('hunter2')
})

test('every instance of a list is looked at, up to the limit, and past it none', async () => {
  const ids = (count: number) => ({
    InstanceIds: Array.from({ length: count }, (_, n) => `i-${n}`),
  })
  const full = await seen('ec2:StopInstances', ids(MAX_TARGETS), {})
  expect(full.evidence.findings).toHaveLength(MAX_TARGETS)
  expect(full.evidence.addedEffects).toEqual(['stop'])
  const past = await seen('ec2:StopInstances', ids(MAX_TARGETS + 1), {})
  expect(past.upstream.asked).toEqual([])
  expect(past.evidence.addedEffects).toEqual(['stop'])
  expect(bindingRead(past.evidence)).toBe(false)
})

test('a service taken to zero stops, one scaled up does not', async () => {
  const script = {
    'ecs:DescribeServices': jsonAnswer({
      services: [
        {
          serviceArn: 'arn:aws:ecs:eu-west-1:123456789012:service/shop/web',
          status: 'ACTIVE',
          desiredCount: 4,
          runningCount: 4,
          createdAt: 1.5,
          taskDefinition: 't:7',
          loadBalancers: [{ targetGroupArn: 'arn:tg' }],
        },
      ],
    }),
    'tagging:GetResources': jsonAnswer({ ResourceTagMappingList: [] }),
  }
  const down = { cluster: 'shop', service: 'web', desiredCount: 0 }
  const { evidence, finding, upstream } = await seen('ecs:UpdateService', down, script)
  expect(evidence.addedEffects).toEqual(['stop'])
  expect(finding).toMatchObject({
    name: 'shop/web',
    holds: '4 running tasks · 4 wanted tasks',
    usedBy: ['target group `arn:tg`'],
    notes: ['wanted tasks: 4 now, 0 after'],
  })
  expect(upstream.asked[0]).toContain('"cluster":"shop","services":["web"]')
  const up = { cluster: 'shop', service: 'web', desiredCount: 9 }
  expect((await seen('ecs:UpdateService', up, script)).evidence.addedEffects).toEqual([])
})

test('a log group that keeps all is cut by any number of days; its namesake does not answer for it', async () => {
  const group = (name: string, days?: number) => ({
    logGroupName: name,
    arn: `arn:aws:logs:eu-west-1:123456789012:log-group:${name}:*`,
    creationTime: 1,
    storedBytes: 5_000_000_000,
    ...(days === undefined ? {} : { retentionInDays: days }),
  })
  const script = (...groups: JsonObject[]) => ({
    'logs:DescribeLogGroups': jsonAnswer({ logGroups: groups }),
    'tagging:GetResources': jsonAnswer({ ResourceTagMappingList: [] }),
  })
  const cut = { logGroupName: '/app', retentionInDays: 30 }
  const all = await seen('logs:PutRetentionPolicy', cut, script(group('/app'), group('/app/b', 1)))
  expect(all.evidence.addedEffects).toEqual(['destroy'])
  expect(all.finding).toMatchObject({
    holds: '5.0 GB',
    notes: ['days kept: not set now, 30 after'],
  })
  const more = await seen('logs:PutRetentionPolicy', cut, script(group('/app', 7)))
  expect(more.evidence.addedEffects).toEqual([])
  const other = await seen('logs:DeleteLogGroup', { logGroupName: '/app' }, script(group('/app/b')))
  expect(other.finding?.holds).toBe('nothing: it does not exist')
})

test('a secret is never read, and gone at once only where the call says so', async () => {
  const script = {
    'secretsmanager:DescribeSecret': jsonAnswer({
      ARN: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf',
      CreatedDate: 1.5,
      LastChangedDate: 1_790_000_000,
      Tags: [],
    }),
  }
  const kept = await seen('secretsmanager:DeleteSecret', { SecretId: 'db' }, script)
  expect(kept.finding).toMatchObject({ undo: 'yes', holds: expect.stringMatching(/^changed 20/) })
  expect(kept.upstream.asked.every((one) => one.startsWith('secretsmanager:DescribeSecret'))).toBe(
    true,
  )
  const forced = { SecretId: 'db', ForceDeleteWithoutRecovery: true }
  expect((await seen('secretsmanager:DeleteSecret', forced, script)).finding?.undo).toBe('no')
})

test('a key that would go shows its aliases and grantees, and no undo', async () => {
  const script = {
    'kms:DescribeKey': jsonAnswer({
      KeyMetadata: {
        KeyId: 'k',
        Arn: 'arn:aws:kms:eu-west-1:123456789012:key/k',
        CreationDate: 1,
        KeyState: 'Enabled',
        Description: 'orders',
      },
    }),
    'kms:ListAliases': jsonAnswer({ Aliases: [{ AliasName: 'alias/orders' }] }),
    'kms:ListGrants': jsonAnswer({
      Grants: [{ GranteePrincipal: 'arn:aws:iam::123456789012:role/app' }],
    }),
    'tagging:GetResources': jsonAnswer({ ResourceTagMappingList: [] }),
  }
  const { finding } = await seen('kms:ScheduleKeyDeletion', { KeyId: 'alias/orders' }, script)
  expect(finding).toMatchObject({
    holds: 'orders · Enabled · 1 alias · 1 grant',
    undo: 'no',
    usedBy: ['alias `alias/orders`', 'grantee `arn:aws:iam::123456789012:role/app`'],
  })
})

test('a queue is emptied of what it holds; an empty one loses nothing', async () => {
  const script = (count: string) => ({
    'sqs:GetQueueAttributes': jsonAnswer({
      Attributes: {
        QueueArn: 'arn:aws:sqs:eu-west-1:123456789012:q',
        CreatedTimestamp: '1',
        ApproximateNumberOfMessages: count,
        ApproximateNumberOfMessagesNotVisible: '0',
        ApproximateNumberOfMessagesDelayed: '0',
      },
    }),
    'tagging:GetResources': jsonAnswer({ ResourceTagMappingList: [] }),
  })
  const url = { QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/q' }
  const full = await seen('sqs:PurgeQueue', url, script('1'))
  expect(full.evidence.addedEffects).toEqual(['destroy'])
  expect(full.finding).toMatchObject({
    holds: '1 message · 0 messages in flight · 0 delayed messages',
    holdsData: true,
    undo: 'no',
  })
  expect((await seen('sqs:PurgeQueue', url, script('0'))).finding).toMatchObject({
    holdsData: false,
    undo: 'yes',
  })
})

test('M6 words of the upstream never enter: an odd answer is unreadable, not shown', async () => {
  const odd = { 'rds:DescribeDBInstances': xmlAnswer('<html>SECRET-WORDS</html>') }
  const { evidence } = await seen('rds:DeleteDBInstance', DELETE_DB, odd)
  expect(JSON.stringify(evidence)).not.toContain('SECRET-WORDS')
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(bindingRead(evidence)).toBe(false)
})
