// The main job at the public doors: a real client asks, a second person signs, it happens once.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, requestIdIn } from './harness.ts'

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

const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

test('a read in production passes, re-signed with the real key, and is in the ledger', async () => {
  const agent = gate.dynamodb(await gate.open('alice'))
  const { Table } = await agent.send(new DescribeTableCommand({ TableName: 'orders' }))
  expect(Table?.TableName).toBe('orders')
  expect(upstream.seen.map(({ operation }) => operation)).toEqual(['DescribeTable'])
  expect((await gate.entries()).at(-1)).toMatchObject({
    type: 'read',
    operation: 'dynamodb:DescribeTable',
    operator: 'alice',
  })
})

test('a delete in production is held with a request id, and after one signature runs once and only once', async () => {
  const agent = gate.dynamodb(await gate.open('alice'))
  const call = () => agent.send(new DeleteTableCommand({ TableName: 'orders' }))
  const held = await call().catch((error: Error) => error)
  expect(held).toMatchObject({ name: 'AccessDeniedException' })
  const id = requestIdIn(held)
  expect(deletions()).toBe(0)

  expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
  expect(deletions()).toBe(0)
  const { TableDescription } = await call()
  expect(TableDescription?.TableStatus).toBe('DELETING')
  expect(deletions()).toBe(1)

  const again = await call().catch((error: Error) => error)
  expect(requestIdIn(again)).not.toBe(id)
  expect(deletions()).toBe(1)
  const types = (await gate.entries()).map(({ type }) => type)
  expect(types.slice(-6)).toEqual([
    'request-opened',
    'review',
    'grant-made',
    'intent',
    'outcome',
    'request-opened',
  ])
})

test('a denial and a request for changes reach the agent as the reason, and nothing happens', async () => {
  const agent = gate.dynamodb(await gate.open('alice'))
  const call = () =>
    agent.send(new DeleteTableCommand({ TableName: 'orders' })).catch((error: Error) => error)
  const id = requestIdIn(await call())
  await gate.review('bob', id, 'request_changes', 'change the one item instead')
  expect(String(await call())).toContain('bob requests changes')
  expect(String(await call())).toContain('change the one item instead')
  expect(deletions()).toBe(0)
})

test('the address in a refusal tells a person what waits and how to answer it', async () => {
  const agent = gate.dynamodb(await gate.open('alice'))
  const held = await agent
    .send(new DeleteTableCommand({ TableName: 'orders' }))
    .catch((error: Error) => error)
  const [url = ''] = /http:\/\/\S+\/requests\/\S+/.exec(String(held)) ?? []
  const page = await fetch(url)
  expect(page.headers.get('content-type')).toContain('text/plain')
  const words = await page.text()
  expect(words).toContain(`seconder request show ${requestIdIn(held)}`)
  // An id is no right: what is asked for is told to whoever signed in.
  expect(words).not.toMatch(/DeleteTable|pending|sre/)
})

test('an approval that is no longer enough for where its caller stands is void, and more people are asked', async () => {
  await gate.stop()
  const policies = mkdtempSync(join(tmpdir(), 'seconder-nearer-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  writeFileSync(
    join(policies, 'near.cedar'),
    `@id("near") @reason("two, for whoever is as near as the gate's own user")
     forbid (principal, action == Action::"destroy", resource)
     when { context.isolation == "none" } unless { context.approvedBy.contains("any:2") };`,
  )
  let isolation: 'user' | 'none' = 'user'
  gate = await Harness.start({ upstream: upstream.url, policies, isolation: () => isolation })
  const agent = gate.dynamodb(await gate.open('alice'))
  const call = () => agent.send(new DeleteTableCommand({ TableName: 'orders' }))
  const refused = async () => (await call().catch((error: Error) => error)) as Error
  const id = requestIdIn(await refused())
  expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
  isolation = 'none'
  expect((await refused()).message).toContain('changed since it was approved')
  expect(deletions()).toBe(0)
  const again = requestIdIn(await refused())
  expect(await gate.review('bob', again)).toMatchObject({ state: 'pending' })
  expect(await gate.review('carol', again)).toMatchObject({ state: 'approved' })
  await call()
  expect(deletions()).toBe(1)
  rmSync(policies, { recursive: true, force: true })
})
