// Actions that a call needs beside its own: roles handed over under any name, tags on what it makes, and
// what a service does in another one with the caller's rights. Expected values are what the Service
// Authorization Reference and the page of each operation say.

import { expect, test } from 'vitest'
import type { JsonObject } from '../call.ts'
import { type Meaning, meaningOf } from '../describe-call.ts'
import { operationOf, serviceOf } from '../index/service-index.ts'

const ROLE = 'arn:aws:iam::111122223333:role/worker'

function meaning(signingName: string, name: string, parameters: JsonObject): Meaning {
  const service = serviceOf(signingName)
  for (const model of service.models) {
    const operation = operationOf(model, name)
    if (operation === undefined) continue
    const here = { partition: 'aws', region: 'eu-west-1', account: '111122223333' }
    return meaningOf(service, operation, parameters, here)
  }
  throw new Error(`${signingName} has no ${name}`)
}

test.each([
  [
    'sns',
    'SetTopicAttributes',
    { AttributeName: 'LambdaFailureFeedbackRoleArn', AttributeValue: ROLE },
  ],
  [
    'sns',
    'SetSubscriptionAttributes',
    { AttributeName: 'SubscriptionRoleArn', AttributeValue: ROLE },
  ],
  [
    'rds',
    'ModifyOptionGroup',
    {
      OptionsToInclude: [
        {
          OptionName: 'SQLSERVER_BACKUP_RESTORE',
          OptionSettings: [{ Name: 'IAM_ROLE_ARN', Value: ROLE }],
        },
      ],
    },
  ],
  [
    'elasticbeanstalk',
    'UpdateEnvironment',
    {
      OptionSettings: [
        { Namespace: 'aws:elasticbeanstalk:environment', OptionName: 'ServiceRole', Value: ROLE },
      ],
    },
  ],
  [
    'kinesisanalytics',
    'UpdateApplication',
    {
      ApplicationUpdate: { InputUpdates: [{ KinesisStreamsInputUpdate: { RoleARNUpdate: ROLE } }] },
    },
  ],
] as const)('%s %s hands over the role of a setting', (service, name, parameters) => {
  const { iamActions, resources } = meaning(service, name, parameters)
  expect(iamActions).toContain('iam:PassRole')
  expect(resources).toContainEqual({ arn: ROLE, type: 'role', resolved: true })
})

test.each([
  ['rds', 'CreateDBInstance', { DBInstanceIdentifier: 'a', DomainIAMRoleName: 'ad' }],
  [
    'elasticbeanstalk',
    'UpdateEnvironment',
    { OptionSettings: [{ OptionName: 'IamInstanceProfile', Value: 'web' }] },
  ],
  [
    'elasticbeanstalk',
    'UpdateEnvironment',
    { OptionSettings: [{ OptionName: 'iaminstanceprofile', Value: 'web' }] },
  ],
  [
    'elasticbeanstalk',
    'UpdateEnvironment',
    { OptionSettings: [{ OptionName: 'ServiceRole', Value: 'web' }] },
  ],
] as const)('%s %s hands over a role that only a name is given of', (service, name, parameters) => {
  const { iamActions, resources } = meaning(service, name, parameters)
  expect(iamActions).toContain('iam:PassRole')
  expect(resources).toContainEqual({ arn: '*', type: 'role', resolved: false })
})

test.each([
  ['sns', 'SetTopicAttributes', { AttributeName: 'DisplayName', AttributeValue: 'the role of us' }],
  ['rds', 'CreateDBInstance', { DBInstanceIdentifier: 'a' }],
  [
    'elasticbeanstalk',
    'UpdateEnvironment',
    { OptionSettings: [{ OptionName: 'EnvironmentType', Value: 'web' }] },
  ],
  ['bedrock', 'Converse', { messages: [{ role: 'user', content: [] }] }],
  ['organizations', 'CreateAccount', { RoleName: 'OrganizationAccountAccessRole' }],
] as const)('%s %s without a role hands over none', (service, name, parameters) => {
  expect(meaning(service, name, parameters).iamActions).not.toContain('iam:PassRole')
})

test.each([
  ['rds', 'CreateDBInstance', { Tags: [{ Key: 'a' }] }, 'rds:AddTagsToResource'],
  ['ec2', 'CreateVpcPeeringConnection', { TagSpecifications: [{}] }, 'ec2:CreateTags'],
  ['sagemaker', 'CreateModel', { Tags: [{}] }, 'sagemaker:AddTags'],
  ['sqs', 'CreateQueue', { tags: { a: 'b' } }, 'sqs:TagQueue'],
  ['kms', 'ReplicateKey', { Policy: '{}' }, 'kms:PutKeyPolicy'],
  ['fsx', 'CreateVolume', { Tags: [{}] }, 'fsx:TagResource'],
  ['rds', 'CreateDBCluster', { DBClusterInstanceClass: 'db.r6g.large' }, 'rds:CreateDBInstance'],
  ['rds', 'ModifyDBInstance', { ManageMasterUserPassword: true }, 'secretsmanager:CreateSecret'],
  ['rds', 'ModifyDBInstance', { RotateMasterUserPassword: true }, 'secretsmanager:RotateSecret'],
  ['ec2', 'RunInstances', { LaunchTemplate: { LaunchTemplateId: 'lt-1' } }, 'iam:PassRole'],
  ['s3', 'CopyObject', { CopySource: 'b/k' }, 's3:GetObjectTagging'],
  [
    's3',
    'CopyObject',
    { CopySource: 'b/k?versionId=1', TaggingDirective: 'COPY' },
    's3:GetObjectVersionTagging',
  ],
] as const)('%s %s with %o needs %s, and does not without', (service, name, parameters, action) => {
  expect(meaning(service, name, parameters).iamActions).toContain(action)
  const without = name === 'CopyObject' ? { CopySource: 'b/k', TaggingDirective: 'REPLACE' } : {}
  expect(meaning(service, name, without).iamActions).not.toContain(action)
})

test.each([
  ['route53', 'ListHostedZonesByVPC', 'ec2:DescribeVpcs', ['list']],
  ['resource-groups', 'ListGroupResources', 'cloudformation:ListStackResources', ['list', 'read']],
  ['ds', 'AddTagsToResource', 'ec2:CreateTags', ['tag']],
  ['wafv2', 'PutLoggingConfiguration', 'iam:CreateServiceLinkedRole', null],
  ['shield', 'DisassociateDRTLogBucket', 's3:DeleteBucketPolicy', null],
] as const)('%s %s needs %s in another service', (service, name, action, effects) => {
  const made = meaning(service, name, {})
  expect(made.iamActions).toContain(action)
  // A read that another service is read for stays a read; a write there makes no read of the call.
  if (effects !== null) expect([...made.effects].sort()).toEqual([...effects].sort())
  else expect(made.effects.some((effect) => effect === 'read' || effect === 'list')).toBe(false)
})
