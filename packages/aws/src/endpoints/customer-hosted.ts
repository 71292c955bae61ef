// Signing names whose requests go to a host of a customer, not of AWS's public API. The gate cannot
// know that host from the scope, so it refuses these by name until they have a describer.

// Source per row: the service's page in https://docs.aws.amazon.com/service-authorization/latest/
// reference/ and the endpoint it documents. `es`, `aoss` and `appsync` sign their control plane
// with the same name; they stay refused as a whole, since the scope does not tell the two apart.
const REASON_BY_SIGNING_NAME: ReadonlyMap<string, string> = new Map([
  ['aoss', 'OpenSearch Serverless collections have hosts of their own'],
  ['appsync', 'AppSync APIs have hosts of their own'],
  ['cloudfront-keyvaluestore', 'each key value store has a host of its own'],
  ['dax', 'DAX clusters have hosts of their own'],
  ['elasticfilesystem-client', 'EFS mounts do not go through an API'],
  ['es', 'OpenSearch domains have hosts of their own'],
  ['execute-api', 'API Gateway APIs have hosts of their own'],
  ['iotdata', 'each account has an AWS IoT data host of its own'],
  ['iotdevicegateway', 'each account has an AWS IoT data host of its own'],
  ['kafka-cluster', 'MSK brokers have hosts of their own'],
  ['kinesisvideo', 'Kinesis Video streams have data hosts of their own'],
  ['lambda-url', 'Lambda function URLs have hosts of their own'],
  ['managedblockchain', 'blockchain nodes have hosts of their own'],
  ['neptune-db', 'Neptune clusters have hosts of their own'],
  ['neptune-graph', 'Neptune graphs have hosts of their own'],
  ['osis', 'OpenSearch ingestion pipelines have hosts of their own'],
  ['rds-db', 'a database login is not an API call'],
  ['route53-recovery-cluster', 'each recovery cluster has hosts of its own'],
  ['s3-object-lambda', 'Object Lambda access points have hosts of their own'],
  ['s3-outposts', 'S3 on Outposts access points have hosts of their own'],
  ['s3express', 'directory buckets have hosts of their own'],
  ['timestream', 'Timestream gives each account hosts of its own'],
  ['vpc-lattice-svcs', 'VPC Lattice services have hosts of their own'],
])

/** Why requests signed for this name are refused, in words for the caller; else undefined. */
export function customerHostedReason(signingName: string): string | undefined {
  return REASON_BY_SIGNING_NAME.get(signingName)
}
