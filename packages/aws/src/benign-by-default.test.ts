// Calls whose names sound harmless and that lose data, end a watch or open a door, each beside its twin
// that does not. Expected effects are what the API reference of each service says the call does.

import { expect, test } from 'vitest'
import type { JsonObject } from './call.ts'
import { meaningOf } from './describe-call.ts'
import { operationOf, serviceOf } from './index/service-index.ts'

function effects(signingName: string, name: string, parameters: JsonObject): readonly string[] {
  const service = serviceOf(signingName)
  for (const model of service.models) {
    const operation = operationOf(model, name)
    if (operation === undefined) continue
    const here = { partition: 'aws', region: 'eu-west-1', account: '111122223333' }
    return meaningOf(service, operation, parameters, here).effects
  }
  throw new Error(`${signingName} has no ${name}`)
}

test.each([
  ['timestream', 'UpdateTable', { RetentionProperties: {} }, 'destroy'],
  ['config', 'PutRetentionConfiguration', { RetentionPeriodInDays: '30' }, 'destroy'],
  ['storagegateway', 'ResetCache', {}, 'destroy'],
  ['ds', 'RestoreFromSnapshot', { SnapshotId: 's-1' }, 'destroy'],
  ['ds', 'ResetUserPassword', { DirectoryId: 'd-1' }, 'permissions'],
  ['fsx', 'DetachAndDeleteS3AccessPoint', { Name: 'a' }, 'destroy'],
  ['redshift-serverless', 'RestoreFromSnapshot', { namespaceName: 'n' }, 'destroy'],
  ['cognito-identity', 'SetIdentityPoolRoles', { IdentityPoolId: 'p' }, 'permissions'],
  ['guardduty', 'DisassociateMembers', { DetectorId: 'd' }, 'stop'],
] as const)('H6 %s %s is more than a write', (service, operation, parameters, effect) => {
  expect(effects(service, operation, parameters)).toContain(effect)
})

test.each([
  ['rds', 'FailoverGlobalCluster', { AllowDataLoss: true }, {}, 'destroy'],
  [
    'autoscaling',
    'SetInstanceHealth',
    { HealthStatus: 'Unhealthy' },
    { HealthStatus: 'Healthy' },
    'destroy',
  ],
  [
    'logs',
    'PutLogGroupDeletionProtection',
    { deletionProtectionEnabled: false },
    { deletionProtectionEnabled: true },
    'permissions',
  ],
  [
    's3',
    'PutBucketLogging',
    { Bucket: 'b', BucketLoggingStatus: {} },
    { Bucket: 'b', BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'l' } } },
    'stop',
  ],
  [
    'elasticfilesystem',
    'PutBackupPolicy',
    { BackupPolicy: { Status: 'DISABLED' } },
    { BackupPolicy: { Status: 'ENABLED' } },
    'destroy',
  ],
] as const)('H6 %s %s is judged by its parameters', (service, operation, bad, good, effect) => {
  expect(effects(service, operation, bad)).toContain(effect)
  expect(effects(service, operation, good)).not.toContain(effect)
})

test.each([
  ['acm-pca', 'RevokeCertificate', 'destroy'],
  ['neptune-db', 'ExecuteFastReset', 'destroy'],
  ['drs', 'DisconnectSourceServer', 'destroy'],
  ['neptune-db', 'ExecuteGremlinQuery', 'opaque'],
  ['budgets', 'ExecuteBudgetAction', 'opaque'],
  ['deadline', 'AssumeQueueRoleForUser', 'permissions'],
  ['awsssoportal', 'GetRoleCredentials', 'permissions'],
  ['workmail', 'ResetPassword', 'permissions'],
  ['lightsail', 'GetRelationalDatabaseMasterUserPassword', 'permissions'],
] as const)(
  'H6 %s %s is no longer unknown, and no policy judges it more lightly',
  (service, name, effect) => {
    // The shipped policies hold destroy and opaque to what they hold unknown to, permissions to more.
    expect(effects(service, name, {})).toEqual([effect])
  },
)
