// M8 (foreign accounts): each expected party is what the API reference or the policy grammar says that the
// member means, never what the code under test answers.
import { expect, test } from 'vitest'
import type { JsonObject } from '../call.ts'
import { partiesOf } from './parties.ts'

const OTHER = '999999999999'
const ROOT = `arn:aws:iam::${OTHER}:root`
const policy = (statement: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
const accounts = (operation: string, parameters: JsonObject) => [
  ...new Set(partiesOf(operation, parameters).map(({ account }) => account)),
]

const GIVEN: [string, JsonObject, string][] = [
  // Policies in a member. Source: reference_policies_elements_principal.html.
  ['s3:PutBucketPolicy', { Bucket: 'b', Policy: policy({ Effect: 'Allow', Principal: '*' }) }, '*'],
  ['s3:PutBucketPolicy', { Policy: policy({ Effect: 'Allow', Principal: { AWS: ROOT } }) }, OTHER],
  [
    's3:PutBucketPolicy',
    { Policy: policy({ Effect: 'Allow', Principal: { AWS: [OTHER] } }) },
    OTHER,
  ],
  ['s3:PutBucketPolicy', { Policy: policy({ Effect: 'Allow', Principal: { AWS: 'AIDA1' } }) }, '?'],
  ['s3:PutBucketPolicy', { Policy: policy({ Effect: 'Allow', NotPrincipal: { AWS: ROOT } }) }, '*'],
  [
    's3:PutBucketPolicy',
    { Policy: policy({ Effect: 'Allow', Principal: { CanonicalUser: 'a' } }) },
    '?',
  ],
  // The key written with an escape, a repeated key, a text cut short: one reader may see a principal.
  [
    's3:PutBucketPolicy',
    { Policy: '{"Statement":[{"Effect":"Allow","Princip\\u0061l":"*"}]}' },
    '*',
  ],
  [
    's3:PutBucketPolicy',
    { Policy: '{"Statement":[{"Effect":"Deny","Effect":"Allow","Principal":"*"}]}' },
    '?',
  ],
  ['s3:PutBucketPolicy', { Policy: '{"Statement":[{"Effect":"Allow","Principal":"*"' }, '?'],
  [
    'sqs:SetQueueAttributes',
    { Attributes: { Policy: policy({ Effect: 'Allow', Principal: '*' }) } },
    '*',
  ],
  [
    'sns:SetTopicAttributes',
    {
      AttributeName: 'Policy',
      AttributeValue: policy({ Effect: 'Allow', Principal: { AWS: ROOT } }),
    },
    OTHER,
  ],
  [
    'iam:UpdateAssumeRolePolicy',
    {
      RoleName: 'r',
      PolicyDocument: policy({
        Effect: 'Allow',
        Principal: { AWS: ROOT },
        Action: 'sts:AssumeRole',
      }),
    },
    OTHER,
  ],
  [
    'iam:CreateRole',
    {
      AssumeRolePolicyDocument: policy({
        Effect: 'Allow',
        Principal: { Federated: 'cognito-identity.amazonaws.com' },
      }),
    },
    '?',
  ],
  [
    'cloudformation:CreateStack',
    {
      TemplateBody: JSON.stringify({
        Resources: {
          P: { Properties: { PolicyDocument: { Statement: { Effect: 'Allow', Principal: '*' } } } },
        },
      }),
    },
    '*',
  ],
  // Members of their own. Sources: the API reference of each operation.
  ['ec2:ModifySnapshotAttribute', { CreateVolumePermission: { Add: [{ UserId: OTHER }] } }, OTHER],
  ['ec2:ModifySnapshotAttribute', { OperationType: 'add', UserIds: [OTHER] }, OTHER],
  ['ec2:ModifySnapshotAttribute', { CreateVolumePermission: { Add: [{ Group: 'all' }] } }, '*'],
  ['ec2:ModifyImageAttribute', { LaunchPermission: { Add: [{ UserId: OTHER }] } }, OTHER],
  ['ec2:ModifyImageAttribute', { LaunchPermission: { Add: [{ Group: 'all' }] } }, '*'],
  ['rds:ModifyDBSnapshotAttribute', { AttributeName: 'restore', ValuesToAdd: [OTHER] }, OTHER],
  ['rds:ModifyDBClusterSnapshotAttribute', { ValuesToAdd: ['all'] }, '*'],
  ['redshift:AuthorizeSnapshotAccess', { AccountWithRestoreAccess: OTHER }, OTHER],
  ['kms:CreateGrant', { KeyId: 'k', GranteePrincipal: `arn:aws:iam::${OTHER}:role/r` }, OTHER],
  ['lambda:AddPermission', { Principal: OTHER }, OTHER],
  ['lambda:AddPermission', { Principal: '*' }, '*'],
  ['lambda:AddPermission', { Principal: 's3.amazonaws.com', SourceArn: 'arn:aws:s3:::b' }, '*'],
  ['lambda:AddPermission', { Principal: 's3.amazonaws.com', SourceAccount: OTHER }, OTHER],
  ['lambda:CreateFunctionUrlConfig', { FunctionName: 'f', AuthType: 'NONE' }, '*'],
  ['ram:CreateResourceShare', { name: 's', principals: [OTHER] }, OTHER],
  ['sqs:AddPermission', { AWSAccountIds: [OTHER] }, OTHER],
  ['sns:AddPermission', { AWSAccountId: [OTHER] }, OTHER],
  ['ssm:ModifyDocumentPermission', { AccountIdsToAdd: ['all'] }, '*'],
  ['events:PutPermission', { Action: 'events:PutEvents', Principal: OTHER }, OTHER],
  ['s3:PutObjectAcl', { ACL: 'public-read' }, '*'],
  ['s3:PutObject', { GrantRead: 'id="79a5"' }, '?'],
  ['s3:PutObject', { GrantRead: 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' }, '*'],
  [
    's3:PutBucketAcl',
    {
      AccessControlPolicy: {
        Grants: [
          { Grantee: { Type: 'Group', URI: 'http://acs.amazonaws.com/groups/global/AllUsers' } },
        ],
      },
    },
    '*',
  ],
  [
    's3:PutBucketReplication',
    {
      ReplicationConfiguration: {
        Rules: [{ Destination: { Bucket: 'arn:aws:s3:::x', Account: OTHER } }],
      },
    },
    OTHER,
  ],
  ['s3:PutObject', { Bucket: 'b', ExpectedBucketOwner: OTHER }, OTHER],
  [
    'logs:PutSubscriptionFilter',
    { destinationArn: `arn:aws:logs:eu-west-1:${OTHER}:destination:d` },
    OTHER,
  ],
  [
    'backup:StartCopyJob',
    { DestinationBackupVaultArn: `arn:aws:backup:eu-west-1:${OTHER}:backup-vault:v` },
    OTHER,
  ],
  ['dynamodb:ExportTableToPointInTime', { S3Bucket: 'b', S3BucketOwner: OTHER }, OTHER],
]

test.each(GIVEN)('M8 %s %j reaches %s', (operation, parameters, party) => {
  expect(accounts(operation, parameters)).toContain(party)
})

const NOBODY: [string, JsonObject][] = [
  ['s3:PutBucketPolicy', { Policy: policy({ Effect: 'Deny', Principal: '*' }) }],
  [
    'iam:CreateRole',
    {
      AssumeRolePolicyDocument: policy({
        Effect: 'Allow',
        Principal: { Service: 'ec2.amazonaws.com' },
      }),
    },
  ],
  [
    'iam:PutRolePolicy',
    {
      PolicyDocument: policy({
        Effect: 'Allow',
        Action: '*',
        Resource: `arn:aws:sqs:eu-west-1:${OTHER}:q`,
      }),
    },
  ],
  ['ec2:ModifySnapshotAttribute', { OperationType: 'remove', UserIds: [OTHER] }],
  ['ec2:ModifyImageAttribute', { LaunchPermission: { Remove: [{ UserId: OTHER }] } }],
  ['rds:ModifyDBSnapshotAttribute', { ValuesToRemove: [OTHER] }],
  ['s3:PutObject', { ACL: 'private', Bucket: 'b', Key: OTHER }],
  ['s3:CopyObject', { ExpectedSourceBucketOwner: OTHER }],
  [
    'dynamodb:PutItem',
    { Item: { owner: { S: OTHER }, Principal: { S: '*' }, Effect: { S: 'x' } } },
  ],
  ['ec2:CreateVpcEndpoint', { PolicyDocument: policy({ Effect: 'Allow', Principal: '*' }) }],
  ['lambda:CreateFunctionUrlConfig', { AuthType: 'AWS_IAM' }],
]

test.each(NOBODY)('M8 %s %j reaches nobody', (operation, parameters) => {
  expect(partiesOf(operation, parameters)).toEqual([])
})

test('M8 a nest too deep to be walked reaches somebody who cannot be told', () => {
  let nest: JsonObject = { UserId: OTHER }
  for (let depth = 0; depth < 70; depth++) nest = { more: nest }
  expect(accounts('ec2:ModifySnapshotAttribute', nest)).toEqual(['?'])
})
