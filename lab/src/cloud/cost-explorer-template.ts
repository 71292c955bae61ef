// The CloudFormation template of the story's stack `cost-explorer`: a bucket with the billing
// export, a table with settings, the service's role. Nothing protects it, as in December 2025.
import type { JsonObject } from '@seconder/aws/call'

export const COST_EXPLORER_STACK = 'cost-explorer'
export const EXPORT_BUCKET = 'cost-explorer-data'
export const SETTINGS_TABLE = 'cost-explorer-settings'

/** What a careful team would have set; the story's team had not. */
export interface Safeguards {
  readonly versioning?: boolean
  readonly deletionProtection?: boolean
  readonly retain?: boolean
  readonly description?: string
}

const SERVICE_ROLE: JsonObject = {
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'cost-explorer-service',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'ecs-tasks.amazonaws.com' },
          Action: 'sts:AssumeRole',
        },
      ],
    },
  },
}

/**
 * The template as an object. `ExportBucketAutoDelete` is what the CDK makes of
 * `autoDeleteObjects: true`: with it DeleteStack empties the bucket and then deletes it; without it
 * CloudFormation would stop at a bucket that is not empty.
 */
export function costExplorerTemplate(safeguards: Safeguards = {}): JsonObject {
  const { versioning = false, deletionProtection = false, retain = false } = safeguards
  const policies: JsonObject = retain
    ? { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }
    : { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' }
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: safeguards.description ?? 'Cost Explorer: billing exports, settings, service role',
    Resources: {
      ExportBucket: {
        Type: 'AWS::S3::Bucket',
        ...policies,
        Properties: {
          BucketName: EXPORT_BUCKET,
          Tags: [{ Key: 'aws-cdk:auto-delete-objects', Value: 'true' }],
          ...(versioning ? { VersioningConfiguration: { Status: 'Enabled' } } : {}),
        },
      },
      ExportBucketAutoDelete: {
        Type: 'Custom::S3AutoDeleteObjects',
        ...policies,
        Properties: {
          ServiceToken: {
            'Fn::Join': [
              ':',
              [
                'arn',
                { Ref: 'AWS::Partition' },
                'lambda',
                { Ref: 'AWS::Region' },
                { Ref: 'AWS::AccountId' },
                'function:lab-empty-bucket',
              ],
            ],
          },
          BucketName: { Ref: 'ExportBucket' },
        },
      },
      SettingsTable: {
        Type: 'AWS::DynamoDB::Table',
        ...policies,
        Properties: {
          TableName: SETTINGS_TABLE,
          AttributeDefinitions: [{ AttributeName: 'month', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'month', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
          ...(deletionProtection ? { DeletionProtectionEnabled: true } : {}),
        },
      },
      ServiceRole: SERVICE_ROLE,
    },
    Outputs: {
      ExportBucketName: { Value: { Ref: 'ExportBucket' } },
      SettingsTableArn: { Value: { 'Fn::GetAtt': ['SettingsTable', 'Arn'] } },
    },
  }
}
