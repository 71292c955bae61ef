// C4: an AssumeRole of an agent is answered by the gate with a child session of its own, under a role of the
// configuration, after policy and people have said yes. The lab's STS records what really was assumed.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { presign } from '@seconder/aws/sigv4/sign'
import { resumeAgentSession } from '@seconder/cli/opening'
import { signerFor } from '@seconder/cli/signing'
import { CHILDREN_MAX } from '@seconder/gateway/identify/child-opening'
import { type Cloud, startCloud } from '@seconder/lab/cloud/cloud'
import { sdkClients } from '@seconder/lab/cloud/sdk-clients'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { closeSession } from './acts.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'
import { queryCall, rawCall, send } from './wire.ts'

const ROLE = 'arn:aws-cn:iam::123456789012:role/agent-'
const DEPLOY = `${ROLE}deploy`
const READER = `${ROLE}readonly`

let cloud: Cloud
let gate: Harness
let keys: Keys

beforeAll(async () => {
  cloud = await startCloud({ stepMs: 1 })
  await sdkClients({ ...cloud, credentials: cloud.credentials.deploy }).dynamoDb.send(
    new CreateTableCommand({
      TableName: 'orders',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
})

afterAll(() => cloud.close())

beforeEach(async () => {
  gate = await Harness.start({
    upstream: cloud.endpoint,
    credentials: cloud.credentials.gate,
    lentRole: DEPLOY,
    roles: { reader: { arn: READER } },
  })
  keys = await gate.open('alice', 'kiro-cli')
})

afterEach(() => gate.stop())

interface ClientKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const settings = ({ accessKeyId, secretAccessKey, sessionToken }: ClientKeys) => ({
  endpoint: keys.endpoint,
  region: cloud.region,
  credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
  maxAttempts: 1,
})
const sts = (as: ClientKeys) => new STSClient(settings(as))
const tables = (as: ClientKeys) => new DynamoDBClient(settings(as))

let count = 0
/** As a CLI does: another session name each time. */
function assume(changes: Partial<AssumeRoleCommandInput> = {}, as: ClientKeys = keys) {
  count += 1
  const input = { RoleArn: READER, RoleSessionName: `botocore-session-${count}`, ...changes }
  return sts(as).send(new AssumeRoleCommand(input))
}

const failed = (cause: unknown): Error => cause as Error

/** A child under another role, with the two approvals that it takes. */
async function readerChild(): Promise<ClientKeys & { readonly expires: Date }> {
  const held = await assume().then(String, failed)
  expect(String(held)).toMatch(/sts:AssumeRole in production needs review by 2 people/)
  const id = requestIdIn(held)
  await gate.review('bob', id)
  await gate.review('carol', id)
  const { Credentials } = await assume()
  return keysOf(Credentials)
}

function keysOf(given: Awaited<ReturnType<typeof assume>>['Credentials']) {
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
    expires: given?.Expiration ?? new Date(0),
  }
}

const ofType = async (type: string) =>
  (await gate.entries()).filter((entry) => entry['type'] === type)

test('C4 a child of another role takes two people, and from then on acts as that role alone', async () => {
  const child = await readerChild()
  expect(child.accessKeyId).toMatch(/^ASIASECONDER[A-Z2-7]{8}$/)
  const who = await sts(child).send(new GetCallerIdentityCommand({}))
  expect(who.Arn).toContain(':assumed-role/agent-readonly/')
  expect((await tables(child).send(new ListTablesCommand({}))).TableNames).toEqual(['orders'])
  const lent = cloud.sessions.at(-1)
  expect(lent?.arn).toContain(':assumed-role/agent-readonly/')
  expect(lent?.sourceIdentity).toBe('alice')
  // The agent's own AssumeRole went nowhere: every one that STS saw is the gate's, with a policy.
  const label = cloud.sessions.filter(({ arn }) => arn.includes('botocore-session'))
  expect(label).toEqual([])
  const [opened] = await ofType('child-session-opened')
  expect(opened).toMatchObject({ parent: keys.sessionId, operator: 'alice', role: READER })
  expect(JSON.stringify(await gate.entries())).not.toContain(child.secretAccessKey)
})

test('C1 whoever sent the task to the parent reviews nothing of its child', async () => {
  keys = await gate.open('alice', 'kiro-cli', { instigators: ['carol'] })
  const { Credentials } = await assume({ RoleArn: DEPLOY, RoleSessionName: 'mine' })
  const drop = new DeleteTableCommand({ TableName: 'orders' })
  const id = requestIdIn(await tables(keysOf(Credentials)).send(drop).catch(failed))
  await expect(gate.review('carol', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  await gate.review('bob', id)
})

test('C4 a grant of the parent is none of the child, and a change by the child is held for itself', async () => {
  const child = await readerChild()
  const drop = new DeleteTableCommand({ TableName: 'orders' })
  const ofParent = requestIdIn(await tables(keys).send(drop).catch(failed))
  const ofChild = requestIdIn(await tables(child).send(drop).catch(failed))
  expect(ofChild).not.toBe(ofParent)
  await gate.review('bob', ofParent)
  const still = await tables(child).send(drop).catch(failed)
  expect(requestIdIn(still)).toBe(ofChild)
  expect(cloud.requests.filter(({ operation }) => operation === 'DeleteTable')).toEqual([])
})

test('C4 a child of the same role adds nothing and needs nobody', async () => {
  const { Credentials, AssumedRoleUser } = await assume({
    RoleArn: DEPLOY,
    RoleSessionName: 'mine',
  })
  expect(AssumedRoleUser?.Arn).toBe('arn:aws-cn:sts::123456789012:assumed-role/agent-deploy/mine')
  expect(AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA[A-Z0-9]{17}:mine$/)
  await tables(keysOf(Credentials)).send(new ListTablesCommand({}))
})

test('C4 a child lives as long as asked and never longer than its parent', async () => {
  const asked = await assume({ RoleArn: DEPLOY, DurationSeconds: 900 })
  const left = keysOf(asked.Credentials).expires.getTime() - Date.now()
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThanOrEqual(900_000)
  const long = await assume({ RoleArn: DEPLOY, DurationSeconds: 43_200 })
  const parent = (await gate.running.gate.store.sessions()).find(({ id }) => id === keys.sessionId)
  expect(keysOf(long.Credentials).expires.getTime()).toBeLessThanOrEqual(parent?.expiresAtMs ?? 0)
})

test('C4 a child ends with its parent, in the state and in the ledger', async () => {
  const { Credentials } = await assume({ RoleArn: DEPLOY })
  const child = keysOf(Credentials)
  await tables(child).send(new ListTablesCommand({}))
  const before = cloud.requests.length
  await closeSession(gate, keys)
  await expect(tables(child).send(new ListTablesCommand({}))).rejects.toThrow()
  expect(cloud.requests.length).toBe(before)
  const closed = (await ofType('session-closed')).map(({ session }) => session)
  const [opened] = await ofType('child-session-opened')
  expect(closed).toEqual([keys.sessionId, opened?.['session']])
})

test('C4 a child can be closed alone, and its parent works on', async () => {
  const { Credentials } = await assume({ RoleArn: DEPLOY })
  const [opened] = await ofType('child-session-opened')
  await closeSession(gate, { ...keys, sessionId: String(opened?.['session']) })
  await expect(tables(keysOf(Credentials)).send(new ListTablesCommand({}))).rejects.toThrow()
  await tables(keys).send(new ListTablesCommand({}))
})

test('C4 a child opens no child, and its keys are nothing without its token', async () => {
  const child = keysOf((await assume({ RoleArn: DEPLOY })).Credentials)
  await expect(assume({ RoleArn: DEPLOY }, child)).rejects.toThrow(/AssumeRole by a child session/)
  const { accessKeyId, secretAccessKey, sessionToken } = child
  const list = new ListTablesCommand({})
  await expect(tables({ accessKeyId, secretAccessKey }).send(list)).rejects.toThrow(/token/)
  const other = { accessKeyId, secretAccessKey, sessionToken: `s${sessionToken.slice(1)}` }
  await expect(tables(other).send(list)).rejects.toThrow(/token/)
})

test('C4 a role that the gate does not lend is refused in words, and nothing is sent', async () => {
  const before = cloud.requests.length
  const refused = assume({ RoleArn: `${ROLE}admin` })
  await expect(refused).rejects.toThrow(/none that the gate lends; nothing was done.*agent-deploy/s)
  expect(cloud.requests.length).toBe(before)
})

test.each<[string, Partial<AssumeRoleCommandInput>]>([
  ['Policy', { Policy: '{"Version":"2012-10-17","Statement":[]}' }],
  ['PolicyArns', { PolicyArns: [{ arn: 'arn:aws-cn:iam::aws:policy/ReadOnlyAccess' }] }],
  ['Tags', { Tags: [{ Key: 'seconder:request', Value: 'r-1' }] }],
  ['SourceIdentity', { SourceIdentity: 'bob' }],
  ['ExternalId', { ExternalId: 'x1' }],
  ['TokenCode', { SerialNumber: 'arn:aws:iam::123456789012:mfa/a', TokenCode: '123456' }],
  ['DurationSeconds', { DurationSeconds: 899 }],
  ['DurationSeconds', { DurationSeconds: 43_201 }],
])('C4 %s, which a child session cannot be, is refused by name: %j', async (name, changes) => {
  const named = name === 'TokenCode' ? 'SerialNumber|TokenCode' : name
  await expect(assume({ RoleArn: DEPLOY, ...changes })).rejects.toThrow(new RegExp(named))
  expect(await ofType('child-session-opened')).toEqual([])
})

test('C4 a session has so many children and no more, and a closed one makes room', async () => {
  for (let index = 0; index < CHILDREN_MAX; index++) await assume({ RoleArn: DEPLOY })
  await expect(assume({ RoleArn: DEPLOY })).rejects.toThrow(`${CHILDREN_MAX} child sessions open`)
  const opened = await ofType('child-session-opened')
  expect(opened.length).toBe(CHILDREN_MAX)
  await closeSession(gate, { ...keys, sessionId: String(opened[0]?.['session']) })
  await assume({ RoleArn: DEPLOY })
})

test('C4 who asks for JSON gets the answer of STS in JSON', async () => {
  const fields = {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: DEPLOY,
    RoleSessionName: 'j1',
  }
  const call = queryCall('sts', fields, { region: cloud.region })
  const accept: [string, string] = ['accept', 'application/json']
  const answer = await rawCall(keys, { ...call, headers: [...(call.headers ?? []), accept] })
  expect(answer.headers['content-type']).toBe('application/json')
  const { Credentials } = JSON.parse(answer.body).AssumeRoleResponse.AssumeRoleResult
  expect(Credentials.AccessKeyId).toMatch(/^ASIA/)
  expect(Credentials.Expiration).toBeGreaterThan(Date.now() / 1_000)
})

test('C4 an AssumeRole whose payload is not signed opens nothing', async () => {
  const fields = {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: DEPLOY,
    RoleSessionName: 'u1',
  }
  const call = queryCall('sts', fields, { region: cloud.region, payloadSha256: 'UNSIGNED-PAYLOAD' })
  expect((await rawCall(keys, call)).body).toContain('that its signature does not bind')
  expect(await ofType('child-session-opened')).toEqual([])
})

test('H17 a presigned AssumeRole opens nothing, and a child presigns reads with its token', async () => {
  const { host } = new URL(keys.endpoint)
  const headers = [['host', host]] as const
  const scope = { service: 'sts', region: cloud.region }
  const url = (as: ClientKeys, query: string) => ({
    method: 'GET',
    target: presign(
      { method: 'GET', target: `/?${query}&Version=2011-06-15`, headers, body: new Uint8Array() },
      as,
      scope,
      Date.now(),
      { expiresSeconds: 60 },
    ),
    headers,
    body: new Uint8Array(),
  })
  const role = `Action=AssumeRole&RoleArn=${encodeURIComponent(DEPLOY)}&RoleSessionName=p1`
  const answer = await send(keys, url(keys, role))
  expect(answer.body).toContain('would give keys to whoever holds it')
  expect(await ofType('child-session-opened')).toEqual([])
  const { Credentials } = await assume({ RoleArn: DEPLOY })
  const child = {
    accessKeyId: String(Credentials?.AccessKeyId),
    secretAccessKey: String(Credentials?.SecretAccessKey),
    sessionToken: String(Credentials?.SessionToken),
  }
  expect((await send(keys, url(child, 'Action=GetCallerIdentity'))).status).toBe(200)
  const { sessionToken: _, ...bare } = child
  const without = await send(keys, url(bare, 'Action=GetCallerIdentity'))
  expect(without.body).toContain('not that of this child session')
})

const found = String(spawnSync('sh', ['-c', 'command -v aws']).stdout ?? '').trim()
const version = found && String(spawnSync(found, ['--version']).stdout ?? '')
const readsEndpoint = /^aws-cli\/(2\.(1[3-9]|[2-9]\d)|1\.(29|[3-9]\d))\./.test(version)
if (!readsEndpoint) console.warn(`skipped: no AWS CLI that reads AWS_ENDPOINT_URL (${version})`)

test.skipIf(!readsEndpoint)(
  'C4 a profile with role_arn and source_profile works through the gate',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'seconder-cli-'))
    const config = join(home, 'config')
    writeFileSync(
      config,
      [
        '[profile agent]',
        `aws_access_key_id = ${keys.accessKeyId}`,
        `aws_secret_access_key = ${keys.secretAccessKey}`,
        '[profile same]',
        `role_arn = ${DEPLOY}`,
        'source_profile = agent',
        '[profile reader]',
        `role_arn = ${READER}`,
        'source_profile = agent',
        '',
      ].join('\n'),
    )
    const run = (...args: string[]) =>
      new Promise<{ out: string; err: string }>((resolve) => {
        const env = {
          ...{
            HOME: home,
            PATH: process.env['PATH'] ?? '',
            AWS_CONFIG_FILE: config,
            AWS_PAGER: '',
          },
          ...{ AWS_REGION: cloud.region, AWS_DEFAULT_REGION: cloud.region, AWS_MAX_ATTEMPTS: '1' },
          ...{ AWS_ENDPOINT_URL: keys.endpoint, AWS_EC2_METADATA_DISABLED: 'true' },
        }
        execFile(found, args, { env, cwd: home, timeout: 60_000 }, (_, out, err) =>
          resolve({ out, err }),
        )
      })
    const same = await run('dynamodb', 'list-tables', '--profile', 'same')
    expect(JSON.parse(same.out || '{}'), same.err).toEqual({ TableNames: ['orders'] })
    const held = await run('sts', 'get-caller-identity', '--profile', 'reader')
    const id = requestIdIn(new Error(held.err))
    await gate.review('bob', id)
    await gate.review('carol', id)
    const who = await run('sts', 'get-caller-identity', '--profile', 'reader')
    expect(JSON.parse(who.out || '{}').Arn, who.err).toContain('assumed-role/agent-readonly/')
    rmSync(home, { recursive: true, force: true })
  },
)

/** A presigned GET under these keys, as an SDK's presigner makes it. */
function presignedBy(as: ClientKeys, service: string, query: string) {
  const { host } = new URL(keys.endpoint)
  const { accessKeyId, secretAccessKey, sessionToken } = as
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
  const request = {
    method: 'GET',
    target: `/${query}`,
    headers: [['host', host]] as [string, string][],
    body: new Uint8Array(0),
  }
  const scope = { service, region: cloud.region }
  const target = presign(request, credentials, scope, Date.now(), { expiresSeconds: 600 })
  return { ...request, target }
}

const IDENTITY = '?Action=GetCallerIdentity&Version=2011-06-15'

test('C4 H17 a presigned URL opens no child; its holder would get keys that outlive it', async () => {
  const query = `?Action=AssumeRole&Version=2011-06-15&RoleSessionName=p1&RoleArn=${encodeURIComponent(DEPLOY)}`
  const answer = await send(keys, presignedBy(keys, 'sts', query))
  expect(answer.body).toContain('through a presigned URL would give keys to whoever holds it')
  expect(await ofType('child-session-opened')).toEqual([])
})

test('C4 H17 a child presigns reads with its token in the URL, and not without it', async () => {
  const child = keysOf((await assume({ RoleArn: DEPLOY })).Credentials)
  const answer = await send(keys, presignedBy(child, 'sts', IDENTITY))
  expect(answer.body).toContain(':assumed-role/agent-deploy/')
  const { accessKeyId, secretAccessKey } = child
  const without = await send(keys, presignedBy({ accessKeyId, secretAccessKey }, 'sts', IDENTITY))
  expect(without.body).toMatch(/session token/)
})

test('H17 an AssumeRole that waits for people opens nothing once its session has other keys', async () => {
  await gate.running.close()
  await gate.restart({ review: { ...gate.config().review, holdMs: 60_000 } })
  const waiting = assume().then(() => 'opened', failed)
  const { store } = gate.running.gate
  const pending = async () => (await store.requests({ state: 'pending', limit: 1 }))[0]?.id
  await expect.poll(pending, { timeout: 30_000 }).toBeDefined()
  const signer = await signerFor(gate.client, gate.keys.get('alice'))
  await resumeAgentSession(gate.client, signer, { session: keys.sessionId, lifetimeMs: 600_000 })
  const id = (await pending()) ?? ''
  await gate.review('bob', id)
  await gate.review('carol', id)
  expect(String(await waiting)).not.toBe('opened')
  expect(await ofType('child-session-opened')).toEqual([])
})
