// The real AWS SDK clients, and the AWS CLI where it is installed, against a local server that
// gives every request the same reply: the message must show verbatim, after exactly one request.

import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import {
  CloudFormationClient,
  DeleteStackCommand,
  ListStacksCommand,
} from '@aws-sdk/client-cloudformation'
import { CostExplorerClient, GetCostAndUsageCommand } from '@aws-sdk/client-cost-explorer'
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DeleteObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols'
import { describe, expect, test } from 'vitest'
import type { Protocol } from '../call.ts'
import { ERROR_WORDS, FAMILY_OF_PROTOCOL, type ReplyCode } from './error-codes.ts'
import { errorReply } from './error-reply.ts'

const MESSAGE = 'needs a second person: open https://gate.example/r/7?a=1&b=<2> and run it again'
const CODES = Object.keys(ERROR_WORDS) as ReplyCode[]

interface Refusal {
  readonly name: string
  readonly message: string
  readonly requestCount: number
  readonly requestId: string | undefined
}

/** Serves one reply to everything while `call` runs; gives the calls made and what `call` gave. */
async function withServer<T>(
  protocol: Protocol | undefined,
  code: ReplyCode,
  call: (endpoint: string) => Promise<T>,
): Promise<{ result: T; requestCount: number }> {
  let requestCount = 0
  const server = createServer((request, response) => {
    requestCount++
    const isHead = request.method === 'HEAD'
    const reply = errorReply({ protocol, code, message: MESSAGE, requestId: 'req-7', isHead })
    request.resume()
    response.writeHead(reply.status, reply.headers.flat())
    response.end(reply.body)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    const { port } = server.address() as AddressInfo
    return { result: await call(`http://127.0.0.1:${port}`), requestCount }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const OPTIONS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/EXAMPLEKEY' },
}

const CBOR_SETTINGS = { defaultNamespace: 'com.amazonaws.dynamodb', errorTypeRegistries: [] }

type Send = (endpoint: string) => Promise<unknown>

const CLIENTS: Readonly<Record<string, readonly [protocol: Protocol, send: Send]>> = {
  'dynamodb DeleteTable': [
    'awsJson1_0',
    (endpoint) =>
      new DynamoDBClient({ ...OPTIONS, endpoint }).send(new DeleteTableCommand({ TableName: 't' })),
  ],
  'cost-explorer GetCostAndUsage': [
    'awsJson1_1',
    (endpoint) =>
      new CostExplorerClient({ ...OPTIONS, endpoint }).send(
        new GetCostAndUsageCommand({
          TimePeriod: { Start: '2026-01-01', End: '2026-01-02' },
          Granularity: 'DAILY',
          Metrics: ['UnblendedCost'],
        }),
      ),
  ],
  'cloudformation DeleteStack': [
    'awsQuery',
    (endpoint) =>
      new CloudFormationClient({ ...OPTIONS, endpoint }).send(
        new DeleteStackCommand({ StackName: 's' }),
      ),
  ],
  'cloudformation ListStacks': [
    'awsQuery',
    (endpoint) =>
      new CloudFormationClient({ ...OPTIONS, endpoint }).send(new ListStacksCommand({})),
  ],
  'sts GetCallerIdentity': [
    'awsQuery',
    (endpoint) => new STSClient({ ...OPTIONS, endpoint }).send(new GetCallerIdentityCommand({})),
  ],
  'dynamodb DeleteTable over CBOR': [
    'rpcv2Cbor',
    (endpoint) =>
      new DynamoDBClient({
        ...OPTIONS,
        endpoint,
        // No client of the five speaks CBOR by itself; each can be told to.
        protocol: AwsSmithyRpcV2CborProtocol,
        protocolSettings: CBOR_SETTINGS,
      }).send(new DeleteTableCommand({ TableName: 't' })),
  ],
  's3 DeleteObject': [
    's3',
    (endpoint) =>
      new S3Client({ ...OPTIONS, endpoint, forcePathStyle: true }).send(
        new DeleteObjectCommand({ Bucket: 'b', Key: 'k' }),
      ),
  ],
}

async function refusalOf(
  protocol: Protocol | undefined,
  code: ReplyCode,
  send: Send,
): Promise<Refusal> {
  let requestId: string | undefined
  const caught = async (endpoint: string): Promise<Error> => {
    try {
      await send(endpoint)
    } catch (error) {
      const metadata = (error as { $metadata?: { requestId?: string } }).$metadata
      requestId = metadata?.requestId
      return error as Error
    }
    throw new Error('the client took the refusal for a success')
  }
  const { result, requestCount } = await withServer(protocol, code, caught)
  return { name: result.name, message: result.message, requestCount, requestId }
}

for (const [name, [protocol, send]] of Object.entries(CLIENTS)) {
  for (const code of CODES) {
    test(`SDK v3 ${name} shows ${code} verbatim after one request`, async () => {
      const refusal = await refusalOf(protocol, code, send)
      expect(refusal).toEqual({
        name: ERROR_WORDS[code][FAMILY_OF_PROTOCOL[protocol]][0],
        message: MESSAGE,
        requestCount: 1,
        requestId: 'req-7',
      })
    })
  }
}

test('SDK v3 sends a refused HEAD once, though it cannot show the message', async () => {
  const { requestCount, name } = await refusalOf('s3', 'AccessDenied', (endpoint) =>
    new S3Client({ ...OPTIONS, endpoint, forcePathStyle: true }).send(
      new HeadObjectCommand({ Bucket: 'b', Key: 'k' }),
    ),
  )
  expect(requestCount).toBe(1)
  expect(name).not.toBe('Error')
})

const run = promisify(execFile)
const CLI = await run('aws', ['--version']).then(
  ({ stdout, stderr }) => (stdout + stderr).trim(),
  () => undefined,
)

const COMMANDS: Readonly<Record<string, readonly [protocol: Protocol, args: readonly string[]]>> = {
  'dynamodb delete-table': ['awsJson1_0', ['dynamodb', 'delete-table', '--table-name', 't']],
  'cloudformation delete-stack': [
    'awsQuery',
    ['cloudformation', 'delete-stack', '--stack-name', 's'],
  ],
  'ec2 delete-vpc': ['ec2Query', ['ec2', 'delete-vpc', '--vpc-id', 'vpc-1']],
  'lambda delete-function': ['restJson1', ['lambda', 'delete-function', '--function-name', 'f']],
  'route53 delete-hosted-zone': ['restXml', ['route53', 'delete-hosted-zone', '--id', 'Z1']],
  's3api delete-object': ['s3', ['s3api', 'delete-object', '--bucket', 'b', '--key', 'k']],
}

async function cliError(args: readonly string[], endpoint: string): Promise<string> {
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    AWS_ACCESS_KEY_ID: OPTIONS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: OPTIONS.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: OPTIONS.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  return run('aws', [...args, '--endpoint-url', endpoint], { env: environment }).then(
    () => '',
    (error: { stderr?: string }) => error.stderr ?? '',
  )
}

describe.skipIf(CLI === undefined)('the AWS CLI (skipped where it is not installed)', () => {
  for (const [name, [protocol, args]] of Object.entries(COMMANDS)) {
    for (const code of ['AccessDenied', 'OutcomeUnknown'] as const) {
      test(`aws ${name} shows ${code} verbatim after one request`, async () => {
        const { result, requestCount } = await withServer(protocol, code, (endpoint) =>
          cliError(args, endpoint),
        )
        const [word] = ERROR_WORDS[code][FAMILY_OF_PROTOCOL[protocol]]
        expect(result).toContain(`An error occurred (${word}) when calling the`)
        expect(result).toContain(MESSAGE)
        expect(requestCount).toBe(1)
      })
    }
  }
})
