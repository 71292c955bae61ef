// Lending: what STS is asked for, what is kept and for how long, and what no failure may ever do.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Action } from '../describe/action.ts'
import { Secret } from '../lib/secret.ts'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { fixed } from './credential-sources/credential-source.ts'
import { KEPT_POLICIES_MAX, type LendingSession, UpstreamAccess } from './credentials.ts'
import { createExchange } from './exchange.ts'
import { evaluated } from './policy-evaluator.fixture.ts'
import { OWN_KEY, type ScriptedAws, startScriptedAws } from './scripted-aws.fixture.ts'
import { UpstreamSilence } from './upstream.ts'

const ACCOUNT = '123456789012'
const SESSION: LendingSession = {
  id: 's-01234567890123456789012345',
  accessKeyId: 'AKIASECONDERAAAAAAAA',
  operator: 'alice',
  agent: 'kiro-cli 1.22 <x>',
  roleArn: `arn:aws:iam::${ACCOUNT}:role/agent-deploy`,
}
const SCOPE = { service: 'dynamodb', region: 'eu-west-1' }
const CALL = {
  method: 'POST',
  target: '/',
  headers: [['x-amz-target', 'DynamoDB_20120810.DeleteTable']] as [string, string][],
  body: Buffer.from('{"TableName":"orders"}'),
}

let nowMs: number
let aws: ScriptedAws
let access: UpstreamAccess
let closed: Set<string>

beforeEach(async () => {
  nowMs = Date.parse('2026-03-01T10:00:00Z')
  closed = new Set()
  aws = await startScriptedAws(() => nowMs)
  access = lending(true)
})

afterEach(async () => {
  access.close()
  await aws.close()
})

function lending(assumeRole: boolean): UpstreamAccess {
  const { accessKeyId, secretAccessKey } = OWN_KEY
  return new UpstreamAccess({
    exchange: createExchange({ endpoint: aws.url, timeoutMs: 2_000 }),
    stsExchange: createExchange({ endpoint: aws.url, timeoutMs: 1_000 }),
    clock: { nowMs: () => nowMs },
    source: fixed({
      accessKeyId,
      secretAccessKey: new Secret(secretAccessKey),
      sessionToken: null,
    }),
    assumeRole,
    accounts: () => [ACCOUNT],
    isOpen: async ({ id }) => !closed.has(id),
  })
}

function deletion(table = 'orders', changes: Partial<Action> = {}): Action {
  return {
    door: 'aws',
    operation: 'dynamodb:DeleteTable',
    iamActions: ['dynamodb:DeleteTable'],
    resources: [
      {
        arn: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/${table}`,
        type: 'table',
        account: ACCOUNT,
        region: 'eu-west-1',
        environment: 'production',
        resolved: true,
      },
    ],
    effects: ['destroy'],
    reveals: 'nothing',
    recoverable: 'no',
    service: 'dynamodb',
    account: ACCOUNT,
    region: 'eu-west-1',
    parameters: { TableName: table },
    body: null,
    ...changes,
  }
}

function reading(table: string): Action {
  const changes = { operation: 'dynamodb:GetItem', iamActions: ['dynamodb:GetItem'] }
  return deletion(table, { ...changes, effects: ['read'], reveals: 'data' })
}

async function call(action: Action, requestId: string | null = null, session = SESSION) {
  const send = await access.forCall(session, action, NO_EVIDENCE, requestId)
  const answer = await send(CALL, SCOPE)
  answer.body.resume()
  return answer.status
}

test('a call goes out under the role of its session, narrowed, tagged and named', async () => {
  expect(await call(deletion(), 'req-1')).toBe(200)
  const [lent] = aws.lendings
  expect(aws.effects).toHaveLength(1)
  expect(aws.effects[0]?.accessKeyId).toBe(lent?.accessKeyId)
  expect(aws.effects[0]?.token).toBe(lent?.sessionToken)
  const form = lent?.form ?? new Map<string, string>()
  expect(lent?.signedBy).toBe(OWN_KEY.accessKeyId)
  expect(form.get('RoleArn')).toBe(SESSION.roleArn)
  expect(form.get('SourceIdentity')).toBe('alice')
  expect(form.get('DurationSeconds')).toBe('900')
  expect(form.get('Tags.member.1.Key')).toBe('seconder:agent')
  expect(form.get('Tags.member.1.Value')).toBe('kiro-cli 1.22 _x_')
  expect(form.get('Tags.member.2.Key')).toBe('seconder:request')
  expect(form.get('Tags.member.2.Value')).toBe('req-1')
  const asked = (action: string) => ({
    action,
    resource: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`,
    context: { 'aws:ResourceAccount': ACCOUNT },
  })
  expect(evaluated(form.get('Policy') ?? '', asked('dynamodb:DeleteTable'))).toBe('allowed')
  expect(evaluated(form.get('Policy') ?? '', asked('dynamodb:PutItem'))).toBe('denied')
})

test('H9: the session name ends in a part that is new every time', async () => {
  await call(deletion('a'))
  await call(deletion('b'))
  const names = aws.lendings.map(({ form }) => form.get('RoleSessionName') ?? '')
  for (const name of names) expect(name).toMatch(/^s-01234567890123456789012345-[0-9a-z]{26}$/)
  expect(new Set(names).size).toBe(2)
})

test('one session serves reads of a kind; every reviewed call has one of its own', async () => {
  await call(reading('a'))
  await call(reading('b'))
  expect(aws.lendings).toHaveLength(1)
  await call(deletion('a'), 'req-1')
  await call(deletion('a'), 'req-2')
  expect(aws.lendings).toHaveLength(3)
  const { form } = aws.lendings[0] ?? { form: new Map<string, string>() }
  const write = { action: 'dynamodb:PutItem', resource: '*' }
  expect(evaluated(form.get('Policy') ?? '', write)).toBe('denied')
})

test('calls at the same time share one AssumeRole', async () => {
  await Promise.all(Array.from({ length: 8 }, () => call(reading('a'))))
  expect(aws.lendings).toHaveLength(1)
  expect(aws.effects).toHaveLength(8)
})

test('what was lent is used until shortly before its end, and never after', async () => {
  await call(reading('a'))
  nowMs += 800_000
  await call(reading('a'))
  expect(aws.lendings).toHaveLength(1)
  const send = await access.forCall(SESSION, reading('a'), NO_EVIDENCE, null)
  nowMs += 100_000
  await expect(send(CALL, SCOPE)).rejects.toThrow(UpstreamSilence)
  expect(aws.effects).toHaveLength(2)
  await call(reading('a'))
  expect(aws.lendings).toHaveLength(2)
})

test('what has ended when it comes is refused', async () => {
  aws.lifeSeconds = 0
  await expect(call(deletion())).rejects.toMatchObject({ code: 'credentials_unavailable' })
  expect(aws.effects).toHaveLength(0)
})

test('L3: what was lent is gone with its session, at once', async () => {
  const send = await access.forCall(SESSION, deletion(), NO_EVIDENCE, 'req-1')
  closed.add(SESSION.id)
  await access.forgetEnded()
  const refused = send(CALL, SCOPE)
  await expect(refused).rejects.toMatchObject({ name: 'UpstreamSilence', sent: false })
  await expect(call(deletion())).rejects.toMatchObject({ code: 'session_closed' })
  expect(aws.effects).toHaveLength(0)
})

test('L3: a session that closes while STS works gets nothing', async () => {
  let open = () => {}
  aws.gate = new Promise((resolve) => {
    open = resolve
  })
  const pending = call(deletion())
  closed.add(SESSION.id)
  access.forget(SESSION.id)
  open()
  await expect(pending).rejects.toMatchObject({ code: 'session_closed' })
  expect(aws.effects).toHaveLength(0)
})

test('forgetting one session keeps those of another', async () => {
  const other = { ...SESSION, id: 's-other' }
  await call(reading('a'))
  await call(reading('a'), null, other)
  access.forget(SESSION.id)
  await call(reading('a'), null, other)
  expect(aws.lendings).toHaveLength(2)
  await call(reading('a'))
  expect(aws.lendings).toHaveLength(3)
})

test('the policies kept for a session are bounded, the oldest goes', async () => {
  for (let index = 0; index < KEPT_POLICIES_MAX; index += 1) await call(deletion(`t${index}`))
  await call(deletion('t0'))
  expect(aws.lendings).toHaveLength(KEPT_POLICIES_MAX)
  await call(deletion('one-more'))
  await call(deletion('t0'))
  expect(aws.lendings).toHaveLength(KEPT_POLICIES_MAX + 2)
})

const REFUSALS = [
  ['AccessDenied', 'not authorized to perform: sts:TagSession on', 'role_not_assumable'],
  ['MalformedPolicyDocument', 'line 1', 'credentials_unavailable'],
  ['ExpiredToken', 'the token', 'credentials_unavailable'],
  ['PackedPolicyTooLarge', '120%', 'not_narrowed'],
] as const

test.each(REFUSALS)(
  '%s of STS is a refusal, with no effect and no secret',
  async (code, message, ours) => {
    aws.refusal = { code, message: `${message} ${OWN_KEY.secretAccessKey}` }
    const failed = await call(deletion()).catch((cause) => cause)
    expect(failed).toMatchObject({ code: ours })
    expect(aws.effects).toHaveLength(0)
    const words = `${failed.message} ${failed.help} ${JSON.stringify(failed)} ${failed.stack}`
    expect(words).not.toContain(OWN_KEY.secretAccessKey)
    aws.refusal = null
    if (ours !== 'not_narrowed') expect(await call(deletion())).toBe(200)
  },
)

test.each(['', '<a', '<x/>', '<!DOCTYPE a><a/>'])(
  'an answer of STS like `%s` is a refusal',
  async (raw) => {
    aws.raw = raw
    await expect(call(deletion())).rejects.toMatchObject({ code: 'credentials_unavailable' })
    expect(aws.effects).toHaveLength(0)
  },
)

test('an STS that does not answer in its time is a refusal, and the call is not sent', async () => {
  let answer = () => {}
  aws.gate = new Promise((resolve) => {
    answer = resolve
  })
  await expect(call(deletion())).rejects.toMatchObject({ code: 'credentials_unavailable' })
  expect(aws.effects).toHaveLength(0)
  answer()
})

test('an STS that is not there is a refusal', async () => {
  await aws.close()
  await expect(call(deletion())).rejects.toMatchObject({ code: 'credentials_unavailable' })
  aws = await startScriptedAws(() => nowMs)
})

test('C2: a trust policy without sts:TagSession is an error by name, never an untagged call', async () => {
  aws.refusal = {
    code: 'AccessDenied',
    message: 'User: x is not authorized to perform: sts:TagSession on resource: y',
  }
  await expect(access.checkRole(SESSION.roleArn)).rejects.toThrow(/\(sts:TagSession\)/)
  expect(aws.lendings).toHaveLength(0)
  aws.refusal = null
  await access.checkRole(SESSION.roleArn)
  const [checked] = aws.lendings
  expect(checked?.form.get('SourceIdentity')).toBe('seconder')
  const anything = { action: 's3:GetObject', resource: '*' }
  expect(evaluated(checked?.form.get('Policy') ?? '', anything)).toBe('denied')
})

test('H9: a policy that STS finds too large is another, wider one on the next run, and binds anew', async () => {
  const tables = Array.from({ length: 15 }, (_, index) => deletion(`table-${index}`).resources[0])
  const resources = tables.filter((one) => one !== undefined)
  const action = deletion('x', { resources })
  const before = access.narrowed(action, NO_EVIDENCE)
  expect(before.wider).toBeUndefined()
  aws.refusal = { code: 'PackedPolicyTooLarge', message: '130%' }
  await expect(call(action)).rejects.toMatchObject({ code: 'not_narrowed' })
  const after = access.narrowed(action, NO_EVIDENCE)
  expect(after.binding['sessionPolicy']).not.toBe(before.binding['sessionPolicy'])
  expect(after.wider?.join()).toContain('credentials wider than the call')
  aws.refusal = null
  expect(await call(action)).toBe(200)
})

test('what is reviewed says which policy it runs under, for the same call the same', () => {
  const once = access.narrowed(deletion(), NO_EVIDENCE)
  expect(once.binding['sessionPolicy']).toMatch(/^[0-9a-f]{64}$/)
  expect(access.narrowed(deletion(), NO_EVIDENCE)).toEqual(once)
  expect(access.narrowed(deletion('other'), NO_EVIDENCE)).not.toEqual(once)
})

test('a look-up is described like any call, and only a read passes', async () => {
  const send = access.lookUps(SESSION)
  const scan = { ...CALL, headers: [...headersOf('DescribeTable')] }
  const answer = await send(scan, SCOPE)
  answer.body.resume()
  expect(answer.status).toBe(200)
  const { form } = aws.lendings[0] ?? { form: new Map<string, string>() }
  const asked = { action: 'dynamodb:DeleteTable', resource: '*' }
  expect(evaluated(form.get('Policy') ?? '', asked)).toBe('denied')
  const deleting = { ...CALL, headers: [...headersOf('DeleteTable')] }
  await expect(send(deleting, SCOPE)).rejects.toThrow('no read')
  expect(aws.effects).toHaveLength(1)
})

test('a look-up may meet settings of what would run, never a secret itself', async () => {
  const send = access.lookUps(SESSION)
  const named = (target: string): [string, string][] => [
    ['x-amz-target', target],
    ['content-type', 'application/x-amz-json-1.1'],
  ]
  const body = Buffer.from('{"names":["p"]}')
  const project = { ...CALL, headers: named('CodeBuild_20161006.BatchGetProjects'), body }
  const answer = await send(project, { service: 'codebuild', region: 'eu-west-1' })
  answer.body.resume()
  expect(answer.status).toBe(200)
  const secret = { ...CALL, headers: named('secretsmanager.GetSecretValue') }
  const input = { ...secret, body: Buffer.from('{"SecretId":"s"}') }
  const where = { service: 'secretsmanager', region: 'eu-west-1' }
  await expect(send(input, where)).rejects.toThrow('no read')
  expect(aws.effects).toHaveLength(1)
})

function headersOf(operation: string): [string, string][] {
  return [
    ['x-amz-target', `DynamoDB_20120810.${operation}`],
    ['content-type', 'application/x-amz-json-1.0'],
  ]
}

test('without assumeRole the own key goes out, for an open session only', async () => {
  access.close()
  access = lending(false)
  expect(await call(deletion())).toBe(200)
  expect(aws.lendings).toHaveLength(0)
  expect(aws.effects[0]?.accessKeyId).toBe(OWN_KEY.accessKeyId)
  expect(access.narrowed(deletion(), NO_EVIDENCE)).toBe(NO_EVIDENCE)
  closed.add(SESSION.id)
  await expect(call(deletion())).rejects.toMatchObject({ code: 'session_closed' })
  expect(aws.effects).toHaveLength(1)
})
