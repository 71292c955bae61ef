// Which calls CloudTrail logs only where somebody asked for data events: by default a trail has none of them, so
// that their absence says nothing.

/**
 * Operations by IAM prefix.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
 * and the page of each service on logging with CloudTrail.
 */
const DATA_EVENTS: Readonly<Record<string, readonly string[]>> = {
  dynamodb: [
    ...[
      'BatchExecuteStatement',
      'BatchGetItem',
      'BatchWriteItem',
      'DeleteItem',
      'ExecuteStatement',
    ],
    ...[
      'ExecuteTransaction',
      'GetItem',
      'GetRecords',
      'GetShardIterator',
      'PutItem',
      'Query',
      'Scan',
    ],
    ...['TransactGetItems', 'TransactWriteItems', 'UpdateItem'],
  ],
  kinesis: ['GetRecords', 'GetShardIterator', 'PutRecord', 'PutRecords', 'SubscribeToShard'],
  lambda: ['Invoke', 'InvokeAsync', 'InvokeWithResponseStream'],
  s3: [
    ...['AbortMultipartUpload', 'CompleteMultipartUpload', 'CopyObject', 'CreateMultipartUpload'],
    ...['CreateSession', 'DeleteObject', 'DeleteObjectTagging', 'DeleteObjects', 'GetObject'],
    ...['GetObjectAcl', 'GetObjectAttributes', 'GetObjectLegalHold', 'GetObjectRetention'],
    ...['GetObjectTagging', 'GetObjectTorrent', 'HeadBucket', 'HeadObject', 'ListMultipartUploads'],
    ...['ListObjects', 'ListObjectsV2', 'ListObjectVersions', 'ListParts', 'PutObject'],
    ...['PutObjectAcl', 'PutObjectLegalHold', 'PutObjectRetention', 'PutObjectTagging'],
    ...['RestoreObject', 'SelectObjectContent', 'UploadPart', 'UploadPartCopy'],
  ],
  sns: ['Publish', 'PublishBatch'],
  sqs: [
    ...['ChangeMessageVisibility', 'ChangeMessageVisibilityBatch', 'DeleteMessage'],
    ...['DeleteMessageBatch', 'ReceiveMessage', 'SendMessage', 'SendMessageBatch'],
  ],
}

/** True for `dynamodb:GetItem`; a bucket's own settings are logged. */
export function isDataEvent(operation: string): boolean {
  const at = operation.indexOf(':')
  return DATA_EVENTS[operation.slice(0, at)]?.includes(operation.slice(at + 1)) ?? false
}
