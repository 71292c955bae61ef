// SDK clients of the lab's cloud, as every part of the lab makes them: one endpoint, one region,
// the given keys, and one attempt, so that a probe sees each failure.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { STSClient } from '@aws-sdk/client-sts'
import type { Credentials } from './principal.ts'

export interface ClientOptions {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
}

export interface SdkClients {
  readonly cloudFormation: CloudFormationClient
  readonly dynamoDb: DynamoDBClient
  readonly s3: S3Client
  readonly sts: STSClient
  destroy(): void
}

export function sdkClients({ endpoint, region, credentials }: ClientOptions): SdkClients {
  // A copy: the SDK writes into the object it is given.
  const options = { endpoint, region, credentials: { ...credentials }, maxAttempts: 1 }
  const cloudFormation = new CloudFormationClient(options)
  const dynamoDb = new DynamoDBClient(options)
  const s3 = new S3Client({ ...options, forcePathStyle: true })
  const sts = new STSClient(options)
  return {
    cloudFormation,
    dynamoDb,
    s3,
    sts,
    destroy: () => {
      for (const client of [cloudFormation, dynamoDb, s3, sts]) client.destroy()
    },
  }
}
