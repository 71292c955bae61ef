// How CloudTrail names services and operations where it is not as their APIs do. Data, each row with its
// source; what stands in no row is named as in the API.

/** Event source without `.amazonaws.com` to the signing name of the index. */
const SOURCES: Readonly<Record<string, string>> = {
  // Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-aws-service-specific-topics.html
  'servicecatalog-appregistry': 'servicecatalog',
}

/**
 * Names of an event that are no operation of the API. Source for S3:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
 */
const OPERATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  s3: {
    DeleteBucketPublicAccessBlock: 'DeletePublicAccessBlock',
    GetAccelerateConfiguration: 'GetBucketAccelerateConfiguration',
    GetBucketObjectLockConfiguration: 'GetObjectLockConfiguration',
    GetBucketPublicAccessBlock: 'GetPublicAccessBlock',
    PutAccelerateConfiguration: 'PutBucketAccelerateConfiguration',
    PutBucketObjectLockConfiguration: 'PutObjectLockConfiguration',
    PutBucketPublicAccessBlock: 'PutPublicAccessBlock',
  },
}

/** S3 Control's own names for what S3 has too. Source: as above, account-level actions. */
const OF_ACCOUNT: Readonly<Record<string, string>> = {
  DeleteAccountPublicAccessBlock: 'DeletePublicAccessBlock',
  GetAccountPublicAccessBlock: 'GetPublicAccessBlock',
  PutAccountPublicAccessBlock: 'PutPublicAccessBlock',
}

/**
 * Events of type AwsApiCall behind which there is no permission and no call of a customer.
 * Source: seen in published trails; none is in the Service Authorization Reference.
 */
const NO_CALLS: ReadonlySet<string> = new Set(['s3 GetStorageLensDashboardDataInternal'])

/**
 * Dates that Lambda and CloudFront put behind their names. Source:
 * https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html (`DeleteFunction20150331`);
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/logging_using_cloudtrail.html
 */
const DATED = /(?:20\d{6}(?:v\d)?|20\d{2}_\d{2}_\d{2})$/

export interface Named {
  readonly signingName: string
  readonly operation: string
  /** The model that is meant where two of one signing name share the operation. */
  readonly model?: string
}

/** The API's names; null for what is no call. */
export function named(eventSource: string, eventName: string): Named | null {
  const source = eventSource.replace(/\.amazonaws\.com(\.cn)?$/, '')
  if (NO_CALLS.has(`${source} ${eventName}`)) return null
  const signingName = own(SOURCES, source) ?? source
  const ofAccount = signingName === 's3' ? own(OF_ACCOUNT, eventName) : undefined
  if (ofAccount !== undefined) return { signingName, operation: ofAccount, model: 'S3 Control' }
  const renamed = own(own(OPERATIONS, signingName) ?? {}, eventName)
  return { signingName, operation: renamed ?? eventName.replace(DATED, '') }
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
