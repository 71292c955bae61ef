// M8: the buckets that each call names beside its own, as the API reference of the operation says.
import { expect, test } from 'vitest'
import type { JsonObject } from '../call.ts'
import { namedBuckets } from './named-buckets.ts'

test.each<[string, JsonObject, string[]]>([
  ['rds:StartExportTask', { S3BucketName: 'out-of-here' }, ['out-of-here']],
  ['dynamodb:ExportTableToPointInTime', { S3Bucket: 'out-of-here' }, ['out-of-here']],
  ['ec2:CreateStoreImageTask', { ImageId: 'ami-1', Bucket: 'out-of-here' }, ['out-of-here']],
  ['ec2:ExportImage', { S3ExportLocation: { S3Bucket: 'out-of-here' } }, ['out-of-here']],
  ['logs:CreateExportTask', { destination: 'out-of-here' }, ['out-of-here']],
  ['cloudtrail:CreateTrail', { S3BucketName: 'out-of-here' }, ['out-of-here']],
  [
    's3:PutBucketLogging',
    { Bucket: 'mine', LoggingEnabled: { TargetBucket: 'out-of-here' } },
    ['out-of-here'],
  ],
  [
    's3:PutBucketReplication',
    { Bucket: 'mine', Rules: [{ Destination: { Bucket: 'arn:aws:s3:::out-of-here' } }] },
    ['out-of-here'],
  ],
  ['athena:StartQueryExecution', { OutputLocation: 's3://out-of-here/a/b' }, ['out-of-here']],
  // The bucket of the call itself, data, tags and what can be no bucket are none of these.
  ['s3:PutObject', { Bucket: 'mine', Key: 's3://out-of-here' }, []],
  ['dynamodb:PutItem', { Item: { S3Bucket: { S: 'out-of-here' } } }, []],
  ['ec2:CreateTags', { Tags: [{ Key: 'S3Bucket', Value: 'out-of-here' }] }, []],
  ['rds:StartExportTask', { S3BucketName: 'No Bucket' }, []],
])('M8 %s %j names %j', (operation, parameters, buckets) => {
  expect(namedBuckets(operation, parameters)).toEqual(buckets)
})
