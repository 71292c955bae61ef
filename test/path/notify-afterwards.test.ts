// What is told besides requests that wait: who goes ahead alone, loudly, until others have looked; approvals that were
// taken back; plans like any request.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentPost } from '@seconder/cli/agent-client'
import { openBreakGlass, readBreakGlass, reviewBreakGlass } from '@seconder/cli/breaking-glass'
import { signerFor } from '@seconder/cli/signing'
import { signWithdrawal } from '@seconder/cli/withdrawing'
import { NOTIFY, notifyConfig } from '@seconder/gateway/notify/notify-config'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpReceiver, startHttpReceiver } from '../fakes/message-receiver.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession, idIn } from './acts.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const ORDERS = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`
const REASON = 'the site is down and nobody answers'

let upstream: FakeUpstream
let pager: HttpReceiver
let room: HttpReceiver
let gate: Harness
let keys: Keys
let policies: string

beforeEach(async () => {
  policies = mkdtempSync(join(tmpdir(), 'seconder-told-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  writeFileSync(
    join(policies, 'break-glass.cedar'),
    `@id("glass") @reason("break-glass") permit (principal is Agent, action in Action::"change",
     resource in Environment::"production") when { context.breakGlass };`,
  )
  upstream = await startFakeUpstream()
  pager = await startHttpReceiver()
  room = await startHttpReceiver()
  const raw = NOTIFY.parse({
    channels: {
      pager: { webhook: { url: 'env:PAGER', secret: 'env:KEY' } },
      room: { slack: { url: 'env:ROOM' } },
    },
    // No route leads to the room: only what is loud is heard there.
    routes: [{ teams: ['sre'], channels: ['pager'] }],
    gatherMs: 0,
    quietMs: 0,
  })
  const key = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const environ = { PAGER: pager.url, ROOM: room.url, KEY: key }
  const notify = notifyConfig(raw, { environ, under: (path) => path })
  gate = await Harness.start({ upstream: upstream.url, policies, breakGlass: true, notify })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await Promise.all([upstream.close(), pager.close(), room.close()])
  rmSync(policies, { recursive: true, force: true })
})

interface Told {
  readonly type: string
  readonly data: {
    readonly title: string
    readonly follows: string | null
    readonly requests: readonly { readonly id: string }[]
    readonly breakGlass?: { readonly id: string; readonly used: number; readonly url: string }
  }
}

const pagerTold = async (count: number) =>
  (await pager.got(count)).map(({ json, headers }) => ({
    ...(json as unknown as Told),
    id: headers['webhook-id'],
  }))
const remove = (name: string) => dynamodbCall('DeleteTable', { TableName: name })

async function looks(person: string, id: string): Promise<void> {
  const signer = await signerFor(gate.client, gate.keys.get(person))
  await reviewBreakGlass(gate.client, signer, await readBreakGlass(gate.client, id), 'looked')
}

test('H15 a break-glass is loud on every channel: opened, used, its after-review, and its end', async () => {
  const signer = await signerFor(gate.client, gate.keys.get('alice'))
  const { id } = await openBreakGlass(gate.client, signer, {
    session: keys.sessionId,
    reason: REASON,
    effects: ['destroy'],
    resources: [ORDERS],
    minutes: 15,
    effectsMax: 1,
  })
  const [opened] = await pagerTold(1)
  expect(opened).toMatchObject({
    type: 'break-glass.opened',
    data: { follows: null, breakGlass: { id, used: 0, effectsMax: 1 } },
  })
  expect(opened?.data.title).toContain('alice goes ahead alone until ')
  expect(opened?.data.breakGlass?.url).toMatch(new RegExp(`^http://.*/break-glass/${id}$`))
  await room.got(1)
  expect((await rawCall(keys, remove('orders'))).status).toBe(200)
  const used = (await pagerTold(3)).slice(1)
  expect(used.map(({ type }) => type).sort()).toEqual(['break-glass.due', 'break-glass.used'])
  await looks('bob', id)
  await gate.restartSame()
  await looks('carol', id)
  const [, , , closed] = await pagerTold(4)
  expect(closed).toMatchObject({
    type: 'break-glass.closed',
    data: { follows: opened?.id, breakGlass: { id, used: 1 } },
  })
  const inRoom = await room.got(4)
  for (const { text } of [...inRoom, ...(await pager.got(4))]) {
    expect(text).not.toContain(REASON)
    expect(text).not.toContain('table/orders')
  }
})

test.each(['revoked by a member', 'ended with its session'])(
  'an approval that was told and is %s before it was used is told to be void',
  async (how) => {
    const id = idIn(await rawCall(keys, remove('orders')))
    const [opened] = await pagerTold(1)
    await gate.review('bob', id)
    await pagerTold(2)
    if (how === 'ended with its session') await closeSession(gate, keys)
    else {
      const carol = await signerFor(gate.client, gate.keys.get('carol'))
      await signWithdrawal(gate.client, carol, { requestId: id, takes: 'revoke', comment: 'no' })
    }
    const told = await pagerTold(3)
    expect(told[2]).toMatchObject({
      type: 'request.revoked',
      data: { follows: opened?.id, requests: [{ id }] },
    })
    expect(told[2]?.data.title).toContain('the approval was taken back')
    expect(room.posts).toEqual([])
  },
)

test('a plan is told on the routes of a request like any other, and so is its end', async () => {
  await agentPost(gate.client, keys, '/api/agent/plans', { reason: 'clean up' })
  await rawCall(keys, remove('orders'))
  const { planId } = await agentPost<{ planId: string }>(
    gate.client,
    keys,
    '/api/agent/plans/submit',
    {},
  )
  expect((await pagerTold(1))[0]).toMatchObject({
    type: 'request.opened',
    data: { requests: [{ id: planId }] },
  })
  await gate.review('bob', planId, 'deny', 'no')
  expect((await pagerTold(2))[1]).toMatchObject({
    type: 'request.closed',
    data: { requests: [{ id: planId, state: 'denied' }] },
  })
})
