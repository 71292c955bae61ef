// Well-formed requests of every protocol, half of them reads: what the mutations start from. A mutant of
// one may borrow parts of another, so that two readers could find two calls in it.
import type { WireHeader } from '@seconder/aws/wire-request'
import { encode } from 'cborg'

export interface Seed {
  readonly service: string
  readonly region: string
  readonly method: string
  readonly target: string
  readonly headers: readonly WireHeader[]
  readonly body: Uint8Array
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const REGION = 'eu-west-1'

function json(service: string, target: string, input: unknown, version = '1.1'): Seed {
  const headers: WireHeader[] = [
    ['content-type', `application/x-amz-json-${version}`],
    ['x-amz-target', target],
  ]
  const body = bytes(JSON.stringify(input))
  return { service, region: REGION, method: 'POST', target: '/', headers, body }
}

const dynamodb = (operation: string, input: unknown): Seed =>
  json('dynamodb', `DynamoDB_20120810.${operation}`, input, '1.0')

function query(service: string, version: string, fields: Readonly<Record<string, string>>): Seed {
  const { Action = '', ...rest } = fields
  const body = bytes(new URLSearchParams({ Action, Version: version, ...rest }).toString())
  const headers: WireHeader[] = [
    ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
  ]
  return { service, region: REGION, method: 'POST', target: '/', headers, body }
}

function rest(service: string, method: string, target: string, body = '', type = ''): Seed {
  const headers: WireHeader[] = type === '' ? [] : [['content-type', type]]
  return { service, region: REGION, method, target, headers, body: bytes(body) }
}

function cbor(operation: string, input: unknown): Seed {
  return {
    service: 'monitoring',
    region: REGION,
    method: 'POST',
    target: `/service/GraniteServiceVersion20100801/operation/${operation}`,
    headers: [
      ['content-type', 'application/cbor'],
      ['smithy-protocol', 'rpc-v2-cbor'],
      ['accept', 'application/cbor'],
    ],
    body: encode(input),
  }
}

const ID = { id: { S: 'a' } }
const CHUNKED: readonly WireHeader[] = [
  ['content-encoding', 'aws-chunked'],
  ['x-amz-decoded-content-length', '5'],
  ['x-amz-trailer', 'x-amz-checksum-crc32'],
]

export const SEEDS: readonly Seed[] = [
  dynamodb('GetItem', { TableName: 'orders', Key: ID }),
  dynamodb('Query', {
    TableName: 'orders',
    KeyConditionExpression: 'id = :a',
    ExpressionAttributeValues: { ':a': { S: '1' } },
  }),
  dynamodb('BatchGetItem', { RequestItems: { orders: { Keys: [ID] } } }),
  dynamodb('DescribeTable', { TableName: 'orders' }),
  dynamodb('ListTables', { Limit: 10 }),
  dynamodb('ExecuteStatement', { Statement: 'SELECT * FROM "orders" WHERE id = \'a\'' }),
  dynamodb('DeleteTable', { TableName: 'orders' }),
  dynamodb('BatchWriteItem', { RequestItems: { orders: [{ DeleteRequest: { Key: ID } }] } }),
  dynamodb('UpdateTable', { TableName: 'orders', DeletionProtectionEnabled: false }),
  json('logs', 'Logs_20140328.DescribeLogGroups', { logGroupNamePrefix: 'app' }),
  json('logs', 'Logs_20140328.DeleteLogGroup', { logGroupName: 'app' }),
  json('ssm', 'AmazonSSM.GetParameter', { Name: '/app/name', WithDecryption: false }),
  json('ssm', 'AmazonSSM.GetParameter', { Name: '/app/password', WithDecryption: true }),
  json('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: 'db' }),
  json('kms', 'TrentService.DescribeKey', { KeyId: 'alias/app' }),
  query('sns', '2010-03-31', { Action: 'ListTopics' }),
  query('sns', '2010-03-31', {
    Action: 'DeleteTopic',
    TopicArn: 'arn:aws:sns:eu-west-1:123456789012:alerts',
  }),
  query('sts', '2011-06-15', { Action: 'GetCallerIdentity' }),
  query('iam', '2010-05-08', { Action: 'GetRole', RoleName: 'worker' }),
  query('iam', '2010-05-08', { Action: 'CreateAccessKey', UserName: 'root' }),
  query('cloudformation', '2010-05-15', { Action: 'DescribeStacks', StackName: 'app' }),
  query('cloudformation', '2010-05-15', { Action: 'DeleteStack', StackName: 'app' }),
  query('ec2', '2016-11-15', {
    Action: 'DescribeInstances',
    'InstanceId.1': 'i-0123456789abcdef0',
  }),
  query('ec2', '2016-11-15', {
    Action: 'TerminateInstances',
    'InstanceId.1': 'i-0123456789abcdef0',
  }),
  cbor('DescribeAlarms', { AlarmNames: ['cpu'] }),
  cbor('DeleteAlarms', { AlarmNames: ['cpu'] }),
  rest('s3', 'GET', '/orders/a/key'),
  rest('s3', 'GET', '/orders?list-type=2&prefix=a%2Fb'),
  rest('s3', 'HEAD', '/orders/a/key?versionId=3'),
  rest('s3', 'GET', '/orders?policy'),
  rest('s3', 'DELETE', '/orders/a/key?versionId=3'),
  rest(
    's3',
    'PUT',
    '/orders?versioning',
    '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>',
  ),
  rest(
    's3',
    'POST',
    '/orders?delete',
    '<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>',
  ),
  {
    ...rest(
      's3',
      'PUT',
      '/orders/a/key',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
    ),
    headers: CHUNKED,
  },
  rest('lambda', 'GET', '/2015-03-31/functions/thumbs/policy'),
  rest('lambda', 'DELETE', '/2015-03-31/functions/thumbs?Qualifier=1'),
  rest('lambda', 'POST', '/2015-03-31/functions/thumbs/invocations', '{}', 'application/json'),
  rest('route53', 'GET', '/2013-04-01/hostedzone/Z0123456789'),
  rest('route53', 'DELETE', '/2013-04-01/hostedzone/Z0123456789'),
  rest('apigateway', 'GET', '/restapis/abc/stages/prod'),
  rest('apigateway', 'DELETE', '/restapis/abc/stages/prod'),
]
