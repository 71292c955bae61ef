// SDK v3 clients of every protocol, from the few clients that are dependencies: an operation's schema, as
// the client of its service has it, is put on a client that is here. Serialiser, signer, retries and
// error reader are the SDK's own; the large clients (EC2 alone is 28 MB) need not be installed for it.
import { CostExplorerClient, CreateAnomalyMonitorCommand } from '@aws-sdk/client-cost-explorer'
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import {
  AwsEc2QueryProtocol,
  AwsQueryProtocol,
  AwsRestJsonProtocol,
  AwsRestXmlProtocol,
  AwsSmithyRpcV2CborProtocol,
} from '@aws-sdk/core/protocols'
import type { Keys } from './harness.ts'

export interface SdkCase {
  readonly operation: string
  readonly send: (keys: Keys) => Promise<unknown>
}

interface Borrowed {
  readonly service: string
  readonly protocol: unknown
  readonly settings: Readonly<Record<string, string>>
  readonly schema: readonly unknown[]
  readonly input: object
}

const UNIT = 'unit'

/** `[3, namespace, name, traits, member names, member schemas]` is a structure, 0 in it a string. */
function structure(name: string, members: Readonly<Record<string, unknown>>): readonly unknown[] {
  return [3, 'ns', name, 0, Object.keys(members), Object.values(members)]
}

function operation(name: string, traits: unknown, input: readonly unknown[]): readonly unknown[] {
  return [9, 'ns', name, traits, () => input, () => UNIT]
}

function sendBorrowed({ service, protocol, settings, schema, input }: Borrowed) {
  return ({ accessKeyId, secretAccessKey, endpoint }: Keys): Promise<unknown> => {
    const client = new STSClient({
      region: 'eu-west-1',
      // Not STS's own rules, which name STS as what is signed for.
      endpointProvider: () => ({ url: new URL(endpoint) }),
      credentials: { accessKeyId, secretAccessKey },
      protocol: protocol as never,
      protocolSettings: {
        defaultNamespace: `com.amazonaws.${service}`,
        errorTypeRegistries: [],
        ...settings,
      } as never,
      ...({ signingName: service } as object),
    })
    const command = new GetCallerIdentityCommand({})
    Object.assign(command, { input })
    command.middlewareStack.add(
      (next, context) => (args) => {
        const smithy = context['__smithy_context'] as Record<string, unknown>
        Object.assign(smithy, { operationSchema: schema, operation: schema[2] })
        if (settings['serviceTarget']) smithy['service'] = settings['serviceTarget']
        return next(args)
      },
      { step: 'initialize', priority: 'high' },
    )
    return client.send(command).finally(() => client.destroy())
  }
}

const options = ({ accessKeyId, secretAccessKey, endpoint }: Keys) => ({
  region: 'eu-west-1',
  endpoint,
  credentials: { accessKeyId, secretAccessKey },
})

/** One write of each protocol. Schemas as in `dist-es/schemas/schemas_0.js` of the client named. */
export const SDK_CASES: Readonly<Record<string, SdkCase>> = {
  'awsJson1.0 (client-dynamodb)': {
    operation: 'dynamodb:DeleteTable',
    send: (keys) =>
      new DynamoDBClient(options(keys)).send(new DeleteTableCommand({ TableName: 'orders' })),
  },
  'awsJson1.1 (client-cost-explorer)': {
    operation: 'ce:CreateAnomalyMonitor',
    send: (keys) =>
      new CostExplorerClient(options(keys)).send(
        new CreateAnomalyMonitorCommand({
          AnomalyMonitor: { MonitorName: 'm', MonitorType: 'CUSTOM' },
        }),
      ),
  },
  // Source: @aws-sdk/client-sns 3.1169.0
  'awsQuery (schema of client-sns)': {
    operation: 'sns:DeleteTopic',
    send: sendBorrowed({
      service: 'sns',
      protocol: AwsQueryProtocol,
      settings: { xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/', version: '2010-03-31' },
      schema: operation('DeleteTopic', 0, structure('DeleteTopicInput', { TopicArn: 0 })),
      input: { TopicArn: 'arn:aws:sns:eu-west-1:123456789012:alerts' },
    }),
  },
  // Source: @aws-sdk/client-ec2 3.1169.0
  'ec2Query (schema of client-ec2)': {
    operation: 'ec2:DeleteVpc',
    send: sendBorrowed({
      service: 'ec2',
      protocol: AwsEc2QueryProtocol,
      settings: { xmlNamespace: 'http://ec2.amazonaws.com/doc/2016-11-15', version: '2016-11-15' },
      schema: operation('DeleteVpc', 0, structure('DeleteVpcRequest', { VpcId: 0 })),
      input: { VpcId: 'vpc-0123456789abcdef0' },
    }),
  },
  // Source: @aws-sdk/client-lambda 3.1164.0
  'restJson1 (schema of client-lambda)': {
    operation: 'lambda:DeleteFunction',
    send: sendBorrowed({
      service: 'lambda',
      protocol: AwsRestJsonProtocol,
      settings: { version: '2015-03-31' },
      schema: operation(
        'DeleteFunction',
        { http: ['DELETE', '/2015-03-31/functions/{FunctionName}', 204] },
        structure('DeleteFunctionRequest', { FunctionName: [0, 1] }),
      ),
      input: { FunctionName: 'thumbs' },
    }),
  },
  // Source: @aws-sdk/client-route-53 3.1169.0
  'restXml (schema of client-route-53)': {
    operation: 'route53:DeleteHostedZone',
    send: sendBorrowed({
      service: 'route53',
      protocol: AwsRestXmlProtocol,
      settings: {
        xmlNamespace: 'https://route53.amazonaws.com/doc/2013-04-01/',
        version: '2013-04-01',
      },
      schema: operation(
        'DeleteHostedZone',
        { http: ['DELETE', '/2013-04-01/hostedzone/{Id}', 200] },
        structure('DeleteHostedZoneRequest', { Id: [0, 1] }),
      ),
      input: { Id: 'Z0123456789' },
    }),
  },
  's3 (client-s3)': {
    operation: 's3:DeleteObject',
    send: (keys) =>
      new S3Client({ ...options(keys), forcePathStyle: true }).send(
        new DeleteObjectCommand({ Bucket: 'orders', Key: 'a' }),
      ),
  },
  // Source: @aws-sdk/client-cloudwatch 3.1164.0; its model lists rpcv2Cbor first, its default is awsJson1.0.
  'rpcv2Cbor (schema of client-cloudwatch)': {
    operation: 'cloudwatch:DeleteAlarms',
    send: sendBorrowed({
      service: 'monitoring',
      protocol: AwsSmithyRpcV2CborProtocol,
      settings: { version: '2010-08-01', serviceTarget: 'GraniteServiceVersion20100801' },
      schema: operation('DeleteAlarms', 0, structure('DeleteAlarmsInput', { AlarmNames: 64 })),
      input: { AlarmNames: ['cpu'] },
    }),
  },
}
