import { createHmac, hash } from 'node:crypto'
import { get } from 'node:http'
import { ListStacksCommand } from '@aws-sdk/client-cloudformation'
import { CostExplorerClient, GetCostAndUsageCommand } from '@aws-sdk/client-cost-explorer'
import { ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, GetObjectCommand, ListBucketsCommand } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { presign, sign } from '@seconder/aws/sigv4/sign'
import { rememberedSigningKey } from '@seconder/aws/sigv4/signature'
import type { WireHeader } from '@seconder/aws/wire-request'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cloud, startCloud } from './cloud.ts'
import type { Credentials } from './principal.ts'
import { type SdkClients, sdkClients } from './sdk-clients.ts'

let cloud: Cloud
let clients: SdkClients

beforeAll(async () => {
  cloud = await startCloud()
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
})

afterAll(async () => {
  clients.destroy()
  await cloud.close()
  expect(cloud.faults).toEqual([])
})

// The shape of the keys the gate gives its sessions; nothing but the gate knows them.
const DUMMY: Credentials = {
  accessKeyId: 'AKIASECONDERDUMMYKEY',
  secretAccessKey: 'a-secret-that-is-worth-nothing-here',
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly service: string
  readonly headers?: readonly WireHeader[]
  readonly body?: string | Buffer
  readonly payloadSha256?: string
  readonly atMs?: number
  readonly credentials?: Credentials
}

function signedHeaders(sent: Sent): WireHeader[] {
  const { host } = new URL(cloud.endpoint)
  const request = {
    method: sent.method,
    target: sent.path,
    headers: [['host', host] as const, ...(sent.headers ?? [])],
    body: Buffer.from(sent.body ?? ''),
  }
  const scope = { region: cloud.region, service: sent.service }
  const { payloadSha256 } = sent
  const options = payloadSha256 === undefined ? {} : { payloadSha256 }
  const credentials = sent.credentials ?? cloud.credentials.deploy
  return sign(request, credentials, scope, sent.atMs ?? Date.now(), options)
}

async function send(sent: Sent, headers = signedHeaders(sent)) {
  const plain = headers.filter(([name]) => !/^(?:host|content-length)$/i.test(name))
  const response = await fetch(cloud.endpoint + sent.path, {
    method: sent.method,
    headers: plain.map(([name, value]): [string, string] => [name, value]),
    ...(sent.body === undefined ? {} : { body: sent.body }),
  })
  return { status: response.status, text: await response.text() }
}

test('a key of the lab is let in to each service', async () => {
  const identity = await clients.sts.send(new GetCallerIdentityCommand({}))
  expect(identity.Account).toBe('123456789012')
  expect(identity.Arn).toBe('arn:aws-cn:sts::123456789012:assumed-role/agent-deploy/lab')
  await clients.cloudFormation.send(new ListStacksCommand({}))
  await clients.dynamoDb.send(new ListTablesCommand({}))
  await clients.s3.send(new ListBucketsCommand({}))
  const roles = cloud.requests.slice(-4).map(({ role, operation }) => `${role} ${operation}`)
  expect(roles).toEqual([
    'agent-deploy GetCallerIdentity',
    'agent-deploy ListStacks',
    'agent-deploy ListTables',
    'agent-deploy ListBuckets',
  ])
})

test('a dummy key of a session is refused by each service in its own words', async () => {
  const dummy = sdkClients({ ...cloud, credentials: DUMMY })
  const invalid = { name: 'InvalidClientTokenId' }
  await expect(dummy.sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject(invalid)
  await expect(dummy.cloudFormation.send(new ListStacksCommand({}))).rejects.toMatchObject(invalid)
  await expect(dummy.dynamoDb.send(new ListTablesCommand({}))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
  })
  await expect(dummy.s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({
    name: 'InvalidAccessKeyId',
  })
  dummy.destroy()
  expect(cloud.requests.at(-1)).toMatchObject({ accessKeyId: DUMMY.accessKeyId, role: 'unknown' })
})

test('a real key with a wrong secret is refused', async () => {
  const credentials = { ...cloud.credentials.deploy, secretAccessKey: 'wrong' }
  const forged = sdkClients({ ...cloud, credentials })
  await expect(forged.dynamoDb.send(new ListTablesCommand({}))).rejects.toMatchObject({
    name: 'InvalidSignatureException',
  })
  await expect(forged.sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
    name: 'SignatureDoesNotMatch',
  })
  forged.destroy()
})

test('a changed body, an old signature and no signature are refused', async () => {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15'
  const type: WireHeader = ['content-type', 'application/x-www-form-urlencoded']
  const sent: Sent = { method: 'POST', path: '/', service: 'sts', headers: [type], body }
  expect((await send(sent)).status).toBe(200)
  const changed = await send({ ...sent, body: body.replace('2011', '2012') }, signedHeaders(sent))
  expect(changed.text).toContain('<Code>SignatureDoesNotMatch</Code>')
  const old = await send({ ...sent, atMs: Date.now() - 16 * 60_000 })
  expect(old.text).toContain('<Code>SignatureDoesNotMatch</Code>')
  const unsigned = await send(sent, [type])
  expect(unsigned.status).toBe(403)
  expect(unsigned.text).toContain('<Code>MissingAuthenticationToken</Code>')
})

test(
  'a service or an operation the lab lacks is an error in the protocol ' + 'of the request',
  async () => {
    const costs = new CostExplorerClient({
      ...cloud,
      credentials: cloud.credentials.deploy,
      maxAttempts: 1,
    })
    const query = new GetCostAndUsageCommand({
      TimePeriod: { Start: '2026-08-01', End: '2026-09-01' },
      Granularity: 'MONTHLY',
      Metrics: ['UnblendedCost'],
    })
    await expect(costs.send(query)).rejects.toMatchObject({ name: 'UnknownOperationException' })
    costs.destroy()
    const type: WireHeader = ['content-type', 'application/x-www-form-urlencoded']
    const form = { method: 'POST', path: '/', headers: [type] }
    const users = 'Action=ListUsers&Version=2010-05-08'
    const iam = await send({ ...form, service: 'iam', body: users })
    expect(iam.text).toContain('<Code>InvalidAction</Code>')
    const action = 'Action=GetSessionToken&Version=2011-06-15'
    const token = await send({ ...form, service: 'sts', body: action })
    expect(token.text).toContain('<Code>InvalidAction</Code>')
    const twice = 'Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15'
    expect((await send({ ...form, service: 'sts', body: twice })).text).toContain('InvalidAction')
  },
)

test('a region outside the partition is refused', async () => {
  const elsewhere = sdkClients({
    ...cloud,
    region: 'us-east-1',
    credentials: cloud.credentials.deploy,
  })
  await expect(elsewhere.dynamoDb.send(new ListTablesCommand({}))).rejects.toMatchObject({
    name: 'InvalidSignatureException',
  })
  elsewhere.destroy()
})

test(
  'a role is assumed by whom it trusts, and its session works with its ' + 'token alone',
  async () => {
    const gate = sdkClients({ ...cloud, credentials: cloud.credentials.gate })
    const assume = new AssumeRoleCommand({
      RoleArn: 'arn:aws-cn:iam::123456789012:role/agent-deploy',
      RoleSessionName: 'session-1',
      SourceIdentity: 'bob',
      Tags: [{ Key: 'agent', Value: 'kiro' }],
    })
    const { Credentials: given } = await gate.sts.send(assume)
    const credentials = {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    }
    const options = { endpoint: cloud.endpoint, region: cloud.region, maxAttempts: 1 }
    const session = new STSClient({ ...options, credentials })
    const identity = await session.send(new GetCallerIdentityCommand({}))
    expect(identity.Arn).toBe('arn:aws-cn:sts::123456789012:assumed-role/agent-deploy/session-1')
    expect(cloud.sessions.at(-1)).toMatchObject({
      sourceIdentity: 'bob',
      tags: new Map([['agent', 'kiro']]),
    })
    const { sessionToken: _, ...withoutToken } = credentials
    const bare = new STSClient({ ...options, credentials: withoutToken })
    await expect(bare.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    })
    await expect(clients.sts.send(assume)).rejects.toMatchObject({ name: 'AccessDenied' })
    for (const client of [session, bare]) client.destroy()
    gate.destroy()
  },
)

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
test('signed chunks are checked one by one and stored without framing', async () => {
  const { Body: body, put } = await signedChunks('signed-chunks', 'intact', (bytes) => bytes)
  expect(put.status).toBe(200)
  expect(await body()).toBe('first chunk, second chunk')
  const changed = await signedChunks('signed-chunks', 'changed', (bytes) =>
    Buffer.from(bytes.toString('latin1').replace('second', 'SECOND'), 'latin1'),
  )
  expect(changed.put.text).toContain('<Code>SignatureDoesNotMatch</Code>')
  await expect(changed.Body()).rejects.toMatchObject({ name: 'NoSuchKey' })
})

async function signedChunks(bucket: string, key: string, tamper: (bytes: Buffer) => Buffer) {
  if (key === 'intact') await clients.s3.send(new CreateBucketCommand({ Bucket: bucket }))
  const contents = ['first chunk, ', 'second chunk', '']
  const sent: Sent = {
    method: 'PUT',
    path: `/${bucket}/${key}`,
    service: 's3',
    payloadSha256: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    headers: [
      ['content-encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', String(contents.join('').length)],
    ],
  }
  const headers = signedHeaders(sent)
  const authorization = headers.find(([name]) => name === 'authorization')?.[1] ?? ''
  const time = headers.find(([name]) => name === 'x-amz-date')?.[1] ?? ''
  const scope = { date: time.slice(0, 8), region: cloud.region, service: 's3' }
  const signingKey = rememberedSigningKey(cloud.credentials.deploy.secretAccessKey, scope)
  let previous = /Signature=([0-9a-f]{64})/.exec(authorization)?.[1] ?? ''
  let framed = ''
  for (const content of contents) {
    const text = [
      'AWS4-HMAC-SHA256-PAYLOAD',
      time,
      `${scope.date}/${scope.region}/s3/aws4_request`,
      previous,
      hash('sha256', '', 'hex'),
      hash('sha256', content, 'hex'),
    ].join('\n')
    previous = createHmac('sha256', signingKey).update(text).digest('hex')
    framed += `${content.length.toString(16)};chunk-signature=${previous}\r\n${content}\r\n`
  }
  const put = await send({ ...sent, body: tamper(Buffer.from(framed)) }, headers)
  const Body = async () => {
    const output = await clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return output.Body?.transformToString()
  }
  return { put, Body }
}

test('a presigned request is let in until it expires', async () => {
  const { host } = new URL(cloud.endpoint)
  const request = { method: 'GET', target: '/', headers: [['host', host] as const] }
  const scope = { region: cloud.region, service: 's3' }
  const target = (atMs: number) =>
    presign({ ...request, body: new Uint8Array() }, cloud.credentials.deploy, scope, atMs, {
      expiresSeconds: 60,
    })
  expect((await fetch(cloud.endpoint + target(Date.now()))).status).toBe(200)
  expect((await fetch(cloud.endpoint + target(Date.now() - 61_000))).status).toBe(403)
})

test('an object is reached by virtual host as well as by path', async () => {
  await clients.s3.send(new CreateBucketCommand({ Bucket: 'virtual' }))
  const { port } = new URL(cloud.endpoint)
  const request = { method: 'GET', path: '/?location', service: 's3' }
  const host = `virtual.s3.cn-north-1.amazonaws.com.cn:${port}`
  const headers = sign(
    { method: 'GET', target: request.path, headers: [['host', host]], body: new Uint8Array() },
    cloud.credentials.deploy,
    { region: cloud.region, service: 's3' },
    Date.now(),
  )
  const text = await new Promise<string>((resolve, reject) => {
    const plain = Object.fromEntries(headers.map(([name, value]) => [name, value]))
    get({ host: '127.0.0.1', port, path: request.path, headers: plain }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += String(chunk)
      })
      response.on('end', () => resolve(body))
    }).on('error', reject)
  })
  expect(text).toContain('cn-north-1</LocationConstraint>')
})
