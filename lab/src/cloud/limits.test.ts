import { createHash } from 'node:crypto'
import { CreateStackCommand } from '@aws-sdk/client-cloudformation'
import { CreateBackupCommand, CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, DeleteObjectsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { sign } from '@seconder/aws/sigv4/sign'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cloud, startCloud } from './cloud.ts'
import type { CloudRequest } from './cloud-request.ts'
import { BACKUPS_MAX } from './dynamodb-backups.ts'
import { BODY_BYTES_MAX, RECORDED_REQUESTS_MAX } from './front.ts'
import { JSON_INPUT_BYTES_MAX, parseInput } from './json-input.ts'
import { KeyTable, roleArn, SESSIONS_MAX } from './principal.ts'
import { PARAMETERS_MAX, QueryInput } from './query-input.ts'
import { DELETE_KEYS_MAX, KEY_BYTES_MAX } from './s3.ts'
import { BUCKETS_MAX } from './s3-buckets.ts'
import { type SdkClients, sdkClients } from './sdk-clients.ts'
import { newStack, STACK_EVENTS_MAX, setStackStatus } from './stack.ts'
import { STACKS_MAX, StackBook } from './stack-book.ts'
import { SESSION_SECONDS_MAX, SESSION_SECONDS_MIN, SESSION_TAGS_MAX } from './sts.ts'

let cloud: Cloud
let clients: SdkClients

beforeAll(async () => {
  cloud = await startCloud({ stepMs: 1 })
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.gate })
  await clients.s3.send(new CreateBucketCommand({ Bucket: 'limits' }))
})

afterAll(async () => {
  clients.destroy()
  await cloud.close()
  expect(cloud.faults).toEqual([])
})

async function putBytes(count: number): Promise<number> {
  const body = Buffer.alloc(count)
  const target = '/limits/large'
  const { host } = new URL(cloud.endpoint)
  const headers = sign(
    { method: 'PUT', target, headers: [['host', host]], body: new Uint8Array() },
    cloud.credentials.gate,
    { region: cloud.region, service: 's3' },
    Date.now(),
    { payloadSha256: createHash('sha256').update(body).digest('hex') },
  )
  const sent = headers.filter(([name]) => name !== 'host')
  const response = await fetch(cloud.endpoint + target, {
    method: 'PUT',
    headers: sent.map(([name, value]): [string, string] => [name, value]),
    body,
  })
  await response.arrayBuffer()
  return response.status
}

test('a body of the maximum is stored, and one byte more is refused', async () => {
  expect(await putBytes(BODY_BYTES_MAX)).toBe(200)
  expect(await putBytes(BODY_BYTES_MAX + 1)).toBe(413)
})

test('a key of the maximum is stored, and one byte more is refused', async () => {
  const put = (bytes: number) =>
    clients.s3.send(new PutObjectCommand({ Bucket: 'limits', Key: 'k'.repeat(bytes), Body: 'x' }))
  await put(KEY_BYTES_MAX)
  await expect(put(KEY_BYTES_MAX + 1)).rejects.toMatchObject({ name: 'InvalidRequest' })
})

test('a batch of the maximum is deleted, and one key more is refused', async () => {
  const remove = (count: number) => {
    const objects = Array.from({ length: count }, (_, at) => ({ Key: `key-${at}` }))
    return clients.s3.send(
      new DeleteObjectsCommand({ Bucket: 'limits', Delete: { Objects: objects, Quiet: true } }),
    )
  }
  await remove(DELETE_KEYS_MAX)
  await expect(remove(DELETE_KEYS_MAX + 1)).rejects.toMatchObject({ name: 'MalformedXML' })
})

test('buckets end at their maximum', async () => {
  for (let at = 1; at < BUCKETS_MAX; at += 1) {
    await clients.s3.send(new CreateBucketCommand({ Bucket: `bucket-${at}` }))
  }
  const more = new CreateBucketCommand({ Bucket: 'bucket-more' })
  await expect(clients.s3.send(more)).rejects.toMatchObject({ name: 'InvalidRequest' })
})

test('backups end at their maximum', async () => {
  await clients.dynamoDb.send(
    new CreateTableCommand({
      TableName: 'limits',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  const backup = () =>
    clients.dynamoDb.send(new CreateBackupCommand({ TableName: 'limits', BackupName: 'again' }))
  for (let at = 0; at < BACKUPS_MAX; at += 1) await backup()
  await expect(backup()).rejects.toMatchObject({ name: 'InternalFailure' })
})

test('a session lasts and carries as much as STS allows', async () => {
  const assume = (seconds: number, tags: number) =>
    clients.sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn('agent-deploy'),
        RoleSessionName: 'limits',
        DurationSeconds: seconds,
        Tags: Array.from({ length: tags }, (_, at) => ({ Key: `k${at}`, Value: 'v' })),
      }),
    )
  await assume(SESSION_SECONDS_MAX, SESSION_TAGS_MAX)
  await assume(SESSION_SECONDS_MIN, 0)
  for (const [seconds, tags] of [
    [SESSION_SECONDS_MAX + 1, 0],
    [SESSION_SECONDS_MIN - 1, 0],
    [SESSION_SECONDS_MIN, SESSION_TAGS_MAX + 1],
  ] as const) {
    await expect(assume(seconds, tags)).rejects.toMatchObject({ name: 'ValidationError' })
  }
})

test('sessions end at their maximum, and expired ones make room', () => {
  const keys = new KeyTable()
  const credentials = keys.addRole({ name: 'gate', mayAssume: ['gate'] })
  const gate = keys.find(credentials.accessKeyId)
  if (gate === undefined) throw new Error('the role has no principal')
  const session = { sessionName: 'one', tags: new Map<string, string>() }
  const assume = (nowMs: number) => keys.assume(gate, roleArn('gate'), session, nowMs + 10, nowMs)
  for (let at = 1; at < SESSIONS_MAX; at += 1) assume(0)
  const full = expect.objectContaining({ code: 'InternalFailure' })
  expect(() => assume(0)).toThrowError(full)
  expect(assume(10).expiresAtMs).toBe(20)
})

test('stacks and their events end at their maxima', () => {
  const book = new StackBook()
  for (let at = 0; at < STACKS_MAX; at += 1) book.add(`stack-${at}`, 'cn-north-1', 0)
  const full = expect.objectContaining({ code: 'ValidationError' })
  expect(() => book.add('more', 'cn-north-1', 0)).toThrowError(full)
  const stack = newStack('events', 'cn-north-1', 0)
  for (let at = 0; at <= STACK_EVENTS_MAX; at += 1) setStackStatus(stack, 'X', at)
  expect(stack.events.length).toBe(STACK_EVENTS_MAX)
  expect(stack.events[0]?.atMs).toBe(1)
})

function form(count: number): QueryInput {
  const pairs = Array.from({ length: count }, (_, at) => `p${at}=x`).join('&')
  const headers = new Map([['content-type', 'application/x-www-form-urlencoded']])
  const request: Partial<CloudRequest> = {
    method: 'POST',
    path: '/',
    query: [],
    headers,
    content: Buffer.from(pairs),
  }
  return QueryInput.of(request as CloudRequest)
}

test('a form of the maximum is read, and one parameter more is refused', () => {
  expect(form(PARAMETERS_MAX).optional('p0')).toBe('x')
  const refused = expect.objectContaining({ code: 'InvalidAction' })
  expect(() => form(PARAMETERS_MAX + 1)).toThrowError(refused)
})

test('a JSON input of the maximum is read, and one byte more is refused', () => {
  const input = (bytes: number) => Buffer.from(`{"a":"${'x'.repeat(bytes - 8)}"}`)
  expect(parseInput(input(JSON_INPUT_BYTES_MAX))['a']).toHaveLength(JSON_INPUT_BYTES_MAX - 8)
  const refused = expect.objectContaining({ code: 'RequestEntityTooLarge' })
  expect(() => parseInput(input(JSON_INPUT_BYTES_MAX + 1))).toThrowError(refused)
})

test('the record of requests is bounded', () => {
  expect(cloud.requests.length).toBeGreaterThan(BUCKETS_MAX)
  expect(cloud.requests.length).toBeLessThanOrEqual(RECORDED_REQUESTS_MAX)
})

test('a member or parameter nobody reads is refused and not ignored', async () => {
  const template = JSON.stringify({ Resources: { A: { Type: 'AWS::S3::Bucket' } } })
  const create = new CreateStackCommand({
    StackName: 'ignored',
    TemplateBody: template,
    NotificationARNs: ['arn:aws-cn:sns:cn-north-1:123456789012:topic'],
  })
  await expect(clients.cloudFormation.send(create)).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringContaining('NotificationARNs'),
  })
})
