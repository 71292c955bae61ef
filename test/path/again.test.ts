// L1: a thing that one session deletes and another one of the same operator creates again is a delete and recreate, and
// whoever reviews either half reads so. It is a warning and no more: each half is judged alone.
import { renderAny } from '@seconder/cli/render/plan-document'
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import type { ShownAgain } from '@seconder/gateway/review/again'
import { checkAnyDocument } from '@seconder/gateway/review/opening'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { CommandLine } from './command.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const table = (name: string) => `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/${name}`

let upstream: FakeUpstream
let gate: Harness

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const removal = (keys: Keys, name = 'orders') =>
  rawCall(keys, dynamodbCall('DeleteTable', { TableName: name }))
const creation = (keys: Keys, name = 'orders') =>
  rawCall(
    keys,
    dynamodbCall('CreateTable', {
      TableName: name,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )

async function read(id: string) {
  const full = await gate.client.get<{ document: string; request: ShownRequest }>(
    `/api/requests/${id}`,
  )
  const { document, shown } = checkAnyDocument(full.document)
  return { document, request: full.request, words: renderAny(document, shown, []) }
}

test('L1: a delete in one session and a create in another are shown to the reviewers of both', async () => {
  const first = await gate.open('alice', 'first')
  const second = await gate.open('alice', 'second')
  const deleted = idIn(await removal(first))
  expect((await read(deleted)).document.again).toBeUndefined()
  const before = await read(deleted)
  const created = idIn(await creation(second))

  const half: ShownAgain = {
    request: deleted,
    session: first.sessionId,
    operation: 'dynamodb:DeleteTable',
    resource: table('orders'),
    does: 'removes',
    at: before.request.openedAt,
  }
  const later = await read(created)
  expect(later.document.again).toEqual([half])
  expect(later.words).toContain(`of session ${first.sessionId} of the same operator removes it`)
  expect(later.request.again).toEqual([])
  // Its document was signed for as it was; what came since is told beside it.
  const now = await read(deleted)
  expect(now.document).toEqual(before.document)
  expect(now.request.again).toMatchObject([
    { request: created, session: second.sessionId, does: 'makes', resource: table('orders') },
  ])
  const command = new CommandLine(gate)
  const { out } = await command.person('carol', 'request', 'show', deleted)
  command.remove()
  expect(out).toMatch(
    /Since it was opened:\n.*delete and recreate: dynamodb:CreateTable of session s-/,
  )
  // Nothing but words: the delete needs what it needed, and an approval of it is enough.
  expect(now.request.requirement).toEqual(before.request.requirement)
  expect(await gate.review('bob', deleted)).toMatchObject({ state: 'approved' })
  expect((await removal(first)).status).toBe(200)
})

test('L1: of another thing, another operator, or a delete that was denied, nothing is said', async () => {
  const first = await gate.open('alice')
  const denied = idIn(await removal(first))
  await gate.review('bob', denied, 'deny', 'no')
  expect(
    (await read(idIn(await creation(await gate.open('alice'))))).document.again,
  ).toBeUndefined()
  const open = idIn(await removal(await gate.open('carol')))
  expect((await read(open)).document.again).toBeUndefined()
  const others = idIn(await creation(first, 'invoices'))
  expect((await read(others)).document.again).toBeUndefined()
  // The create of alice was asked for first; her delete comes after it.
  const after = idIn(await removal(await gate.open('alice'), 'invoices'))
  expect((await read(after)).document.again).toMatchObject([{ request: others, does: 'makes' }])
})
