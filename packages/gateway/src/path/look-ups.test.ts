// M6: look-ups are neither a flood nor an oracle.
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { SendUpstream } from '../execute/upstream.ts'
import { bindingRead } from '../resolve/binding.ts'
import { modelCall } from '../resolve/model-read.ts'
import { resolve } from '../resolve/resolve.ts'
import { awsAction } from '../resolve/scripted-upstream.fixture.ts'
import { NotLooked, type UpstreamCall } from '../resolve/upstream.ts'
import { LOOK_UP_LIMITS, LookUps } from './look-ups.ts'

const ACCOUNT = '123456789012'
const ALICE = { session: 'alice', account: ACCOUNT }
const BOB = { session: 'bob', account: ACCOUNT }

function counted(status = 200, body = '{}') {
  const sent: string[] = []
  const send: SendUpstream = async ({ body: asked }, { service }) => {
    sent.push(`${service} ${Buffer.from(asked as Uint8Array).toString()}`)
    const answer = { status, headers: [], body: Readable.from([Buffer.from(body)]) }
    return answer as unknown as Awaited<ReturnType<SendUpstream>>
  }
  return { sent, send }
}

const clock = { at: 1_000_000, nowMs: () => clock.at }

const KEYS = modelCall('eu-west-1', 'kms:ListAliases', { KeyId: 'k' })
const advisory: UpstreamCall = { ...KEYS, advisory: true }
const limits = (changes: Partial<typeof LOOK_UP_LIMITS>) => ({ ...LOOK_UP_LIMITS, ...changes })

async function why(asked: Promise<unknown>): Promise<string> {
  try {
    await asked
    return 'sent'
  } catch (cause) {
    return cause instanceof NotLooked ? cause.why : 'error'
  }
}

test('M6 ten thousand DeleteStack for invented names make no more look-ups than one session may', async () => {
  const { sent, send } = counted(
    400,
    '<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>',
  )
  const ways = new LookUps(clock)
  let unread = 0
  for (let n = 0; n < 10_000; n += 1) {
    const action = awsAction('cloudformation:DeleteStack', { StackName: `invented-${n}` }, [
      'destroy',
    ])
    const evidence = await resolve(action, ways.of(send, ALICE))
    if (!bindingRead(evidence)) {
      unread += 1
      // What could not be looked at only ever makes it stricter.
      expect(evidence.addedEffects).toContain('destroy')
    }
  }
  expect(sent.length).toBe(LOOK_UP_LIMITS.session.atOnce)
  expect(unread).toBeGreaterThan(9_000)
})

test('M6 a session past its budget leaves the others theirs, until the account is past its own', async () => {
  const own = { atOnce: 3, perSecond: 1 }
  const ways = new LookUps(clock, limits({ session: own, account: { atOnce: 5, perSecond: 1 } }))
  const { sent, send } = counted()
  const ask = (looker: typeof ALICE) => why(ways.of(send, looker).send(KEYS))
  for (const _ of [1, 2, 3]) expect(await ask(ALICE)).toBe('sent')
  expect(await ask(ALICE)).toBe('budget')
  expect(await ask(BOB)).toBe('sent')
  expect(await ask(BOB)).toBe('sent')
  expect(await ask(BOB)).toBe('budget')
  expect(await ask({ session: 'carol', account: '210987654321' })).toBe('sent')
  expect(sent).toHaveLength(6)
})

test('M6 a budget comes back by the second and never above its size', async () => {
  const time = { at: 0, nowMs: () => time.at }
  const own = { atOnce: 2, perSecond: 1 }
  const ways = new LookUps(time, limits({ session: own }))
  const { send } = counted()
  const ask = () => why(ways.of(send, ALICE).send(KEYS))
  expect([await ask(), await ask(), await ask()]).toEqual(['sent', 'sent', 'budget'])
  time.at += 999
  expect(await ask()).toBe('budget')
  time.at += 1
  expect([await ask(), await ask()]).toEqual(['sent', 'budget'])
  time.at += 3_600_000
  expect([await ask(), await ask(), await ask()]).toEqual(['sent', 'sent', 'budget'])
  time.at -= 3_600_000
  expect(await ask()).toBe('budget')
})

test('M6 where AWS asked for fewer calls nothing is asked for a while, of that service in that account', async () => {
  const time = { at: 0, nowMs: () => time.at }
  const ways = new LookUps(time)
  const { sent, send } = counted()
  const throttling = counted(400, '{"__type":"ThrottlingException"}')
  const table = awsAction('dynamodb:DeleteTable', { TableName: 'orders' }, ['destroy'])
  await resolve(table, ways.of(throttling.send, ALICE))
  const first = throttling.sent.length
  const again = await resolve(table, ways.of(send, BOB))
  expect(sent).toEqual([])
  expect(first).toBeLessThanOrEqual(8)
  expect(bindingRead(again)).toBe(false)
  expect(again.couldNotLook.join()).toContain('AWS asked for fewer calls')
  expect(await why(ways.of(send, BOB).send(KEYS))).toBe('sent')
  const elsewhere = { session: 'carol', account: '210987654321' }
  await resolve(table, ways.of(send, elsewhere))
  expect(sent.some((one) => one.startsWith('dynamodb'))).toBe(true)
  time.at += LOOK_UP_LIMITS.quietMs
  const before = sent.length
  await resolve(table, ways.of(send, BOB))
  expect(sent.length).toBeGreaterThan(before)
})

test('M6 an advisory answer is kept for some seconds, for its own session; a binding one never', async () => {
  const time = { at: 0, nowMs: () => time.at }
  const ways = new LookUps(time)
  const { sent, send } = counted()
  const ask = async (call: UpstreamCall, looker = ALICE) => {
    await ways.of(send, looker).send(call)
    return sent.length
  }
  expect([await ask(advisory), await ask(advisory)]).toEqual([1, 1])
  expect(await ask(advisory, BOB)).toBe(2)
  expect([await ask(KEYS), await ask(KEYS)]).toEqual([3, 4])
  time.at += LOOK_UP_LIMITS.keptMs
  expect(await ask(advisory)).toBe(5)
})

test('M6 neither a refusal nor silence is kept', async () => {
  const ways = new LookUps(clock)
  const refused = counted(403)
  await ways.of(refused.send, ALICE).send(advisory)
  await ways.of(refused.send, ALICE).send(advisory)
  expect(refused.sent).toHaveLength(2)
  const broken: SendUpstream = () => Promise.reject(new Error('SECRET-WORDS'))
  expect(await why(ways.of(broken, ALICE).send(advisory))).toBe('error')
  const { sent, send } = counted()
  await ways.of(send, ALICE).send(advisory)
  expect(sent).toHaveLength(1)
})

test('M6 no more advisory answers are kept than the limit, the oldest goes first', async () => {
  const ways = new LookUps(clock, limits({ keptMax: 2 }))
  const { sent, send } = counted()
  const ask = async (key: string) => {
    const call = modelCall('eu-west-1', 'kms:ListAliases', { KeyId: key })
    await ways.of(send, ALICE).send({ ...call, advisory: true })
    return sent.length
  }
  expect([await ask('a'), await ask('b'), await ask('b'), await ask('a')]).toEqual([1, 2, 2, 2])
  expect(await ask('c')).toBe(3)
  expect([await ask('b'), await ask('a')]).toEqual([3, 4])
})
