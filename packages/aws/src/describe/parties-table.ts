// Which members of a request hand something to other accounts in a way that their names and shapes do not
// say by themselves, and which name accounts without giving anything. Data, with a source per row.

/** A member whose listed values mean everybody. */
export interface EverybodyRow {
  /** IAM prefix, or one operation of it: `s3`, `ec2:ModifyImageAttribute`. */
  readonly of: string
  /** Name of the member, wherever it stands. */
  readonly member: string
  readonly values: readonly string[]
  readonly source: string
}

const S3_ACL = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl'
const EC2 = 'https://docs.aws.amazon.com/AWSEC2/latest/APIReference/'
const LAMBDA = 'https://docs.aws.amazon.com/lambda/latest/api/'

export const EVERYBODY: readonly EverybodyRow[] = [
  {
    of: 's3',
    member: 'ACL',
    values: ['public-read', 'public-read-write', 'authenticated-read'],
    source: S3_ACL,
  },
  {
    of: 's3',
    member: 'URI',
    values: [
      'http://acs.amazonaws.com/groups/global/AllUsers',
      'http://acs.amazonaws.com/groups/global/AuthenticatedUsers',
    ],
    source:
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee',
  },
  {
    of: 'ec2:ModifySnapshotAttribute',
    member: 'Group',
    values: ['all'],
    source: `${EC2}API_CreateVolumePermission.html`,
  },
  {
    of: 'ec2:ModifySnapshotAttribute',
    member: 'GroupNames',
    values: ['all'],
    source: `${EC2}API_ModifySnapshotAttribute.html`,
  },
  {
    of: 'ec2:ModifyImageAttribute',
    member: 'Group',
    values: ['all'],
    source: `${EC2}API_LaunchPermission.html`,
  },
  {
    of: 'ec2:ModifyImageAttribute',
    member: 'UserGroups',
    values: ['all'],
    source: `${EC2}API_ModifyImageAttribute.html`,
  },
  {
    of: 'ec2:ModifyFpgaImageAttribute',
    member: 'Group',
    values: ['all'],
    source: `${EC2}API_LoadPermissionRequest.html`,
  },
  {
    of: 'ec2:ModifyFpgaImageAttribute',
    member: 'UserGroups',
    values: ['all'],
    source: `${EC2}API_ModifyFpgaImageAttribute.html`,
  },
  {
    of: 'rds',
    member: 'ValuesToAdd',
    values: ['all'],
    source:
      'https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html',
  },
  {
    of: 'ssm:ModifyDocumentPermission',
    member: 'AccountIdsToAdd',
    values: ['all', 'All'],
    source:
      'https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html',
  },
  {
    of: 'lambda',
    member: 'FunctionUrlAuthType',
    values: ['NONE'],
    source: `${LAMBDA}API_AddPermission.html`,
  },
  {
    of: 'lambda',
    member: 'AuthType',
    values: ['NONE'],
    source: `${LAMBDA}API_CreateFunctionUrlConfig.html`,
  },
]

/**
 * Members of S3 that list grantees as `id="...", uri="..."`; an id is a canonical user, of which nobody
 * here can tell the account. Source: Amazon S3 API Reference, PutObjectAcl, request headers.
 */
export const GRANTEE_LISTS: ReadonlySet<string> = new Set([
  'GrantFullControl',
  'GrantRead',
  'GrantReadACP',
  'GrantWrite',
  'GrantWriteACP',
])

/** Members of S3 that name one grantee by something else than an account. Source: as above, Grantee. */
export const GRANTEE_NAMES: ReadonlySet<string> = new Set(['EmailAddress', 'DisplayName'])

/**
 * Operations whose policy document only narrows what may pass and gives nobody anything.
 * Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
 */
export const NARROWING: ReadonlySet<string> = new Set([
  'ec2:CreateVpcEndpoint',
  'ec2:ModifyVpcEndpoint',
])

/**
 * Members under which names of accounts are data, labels or search words, or are only checked.
 * ExpectedSourceBucketOwner: Amazon S3 API Reference, CopyObject ("The account ID of the expected source
 * bucket owner"). The others are free text or values of the user in the API references of their services.
 */
export const NOT_A_PARTY: ReadonlySet<string> = new Set([
  ...['Tags', 'Tag', 'TagSet', 'Tagging', 'TagList', 'TagSpecifications', 'Metadata'],
  ...['tags', 'tag', 'metadata', 'labels', 'Filters', 'Filter', 'filters'],
  ...['Item', 'Key', 'ExpressionAttributeValues', 'AttributeUpdates', 'Expected', 'RequestItems'],
  ...['TransactItems', 'Statements', 'Parameters', 'Records', 'Data', 'Payload', 'Body', 'Entries'],
  ...['Message', 'MessageBody', 'MessageAttributes', 'Subject', 'Description', 'description'],
  ...['Environment', 'Variables', 'Value', 'Comment', 'input', 'ExpectedSourceBucketOwner'],
])

/** Members that take something away from those they name. Source: the API references; the name says it. */
export const WITHDRAWS = /^(?:Remove|Revoke|Deny)|(?:ToRemove|ToDelete)$/

/**
 * Members that name a bucket beside the call's own: where something is exported to, logged to or taken from.
 * Sources: the API references of rds (StartExportTask), dynamodb (ExportTableToPointInTime), ec2
 * (CreateStoreImageTask, ExportImage), logs (CreateExportTask), cloudtrail, lambda, s3 (PutBucketLogging).
 */
export const NAMES_BUCKET =
  /^(?:s3|export|target|destination|delivery|output|log|code)?_?(?:s3)?bucket(?:name)?$|^s3_?bucket/i

/** Members of one operation that hold a bucket under another name. */
export const BUCKET_MEMBERS: Readonly<Record<string, string>> = {
  // Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateExportTask.html
  'logs:CreateExportTask': 'destination',
}

/** Members that hold a principal: an ARN, an account, a service, `*`. */
export const PRINCIPAL = /(?:^|[a-z_])(?:principals?|principal_?(?:arn|identifier|orgid)s?)$/i

/** Members whose twelve digits are an account that is given something or dealt with. */
export const NAMES_ACCOUNT =
  /account|owner|user_?ids?$|principal|grantee|sharetarget|sharedwith|valuestoadd|target_?ids?$/i
