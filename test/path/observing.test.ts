// H4: to observe is for a while, by environment, and for everybody to see; nothing makes it last.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { parseMetrics } from '../fakes/scraper.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { activateEpoch } from './acts.ts'
import { ACCOUNT, Harness, type HarnessOptions, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const DAY_MS = 24 * 60 * 60 * 1000

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

async function start(options: Partial<HarnessOptions> = {}): Promise<void> {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, ...options })
  keys = await gate.open('alice')
}

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

/** As a scraper reads it: the metrics are a second old at most. */
async function observedByMetrics(): Promise<unknown> {
  const headers = await gate.readerHeaders()
  const answer = await fetch(`${gate.running.consoleUrl}/api/metrics`, { headers })
  const name = 'seconder_observing_end_timestamp_seconds'
  const family = parseMetrics(await answer.text(), 'text').find((one) => one.name === name)
  return (family?.samples ?? []).map(({ labels, value }) => ({
    name: labels['environment'],
    until: new Date(value * 1_000).toISOString(),
  }))
}

const deleteTable = (TableName: string) => dynamodbCall('DeleteTable', { TableName })

test('H4: observing ends 14 days after it began, whatever epochs come in between, and is shown meanwhile', async () => {
  const policies = mkdtempSync(join(tmpdir(), 'seconder-observed-'))
  onTestFinished(() => rmSync(policies, { recursive: true, force: true }))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  const staging = { name: 'staging', accounts: [ACCOUNT] }
  await start({ policies, environments: [{ ...staging, mode: 'observe' }] })
  const began = Date.parse((await gate.entries())[1]?.['at'] as string)
  const until = new Date(began + 14 * DAY_MS).toISOString()
  const shown = async () => {
    const ready = await fetch(`${gate.running.consoleUrl}/readyz`)
    const standing = await gate.client.get<{ observing: unknown }>('/api/standing')
    const { observing } = await gate.client.facts()
    expect((await ready.json()) as object).toMatchObject(observing.length > 0 ? { observing } : {})
    expect(standing.observing).toEqual(observing)
    await expect.poll(observedByMetrics, { timeout: 60_000 }).toEqual(observing)
    return observing
  }
  const [now] = await shown()
  expect(now?.name).toBe('staging')
  expect(Math.abs(Date.parse(now?.until ?? '') - Date.parse(until))).toBeLessThan(60_000)

  // Another epoch, for whatever reason, is no new beginning.
  writeFileSync(
    join(policies, 'more.cedar'),
    '@id("more") @reason("more") permit (principal is User, action, resource);',
  )
  expect(await activateEpoch(gate, ['alice', 'bob'])).toBe(2)
  expect(await shown()).toEqual([now])
  await gate.restartSame()
  expect(await shown()).toEqual([now])
  expect((await rawCall(keys, deleteTable('orders'))).status).toBe(200)

  // One that enforces is its end, and what comes after that is new.
  await gate.running.close()
  await gate.restart({ environments: [{ ...staging, mode: 'enforce' }] })
  expect(await activateEpoch(gate, ['alice', 'bob'])).toBe(3)
  expect(await shown()).toEqual([])
  expect((await rawCall(keys, deleteTable('orders'))).body).toContain('needs review')
  await gate.restartSame()
  expect(await activateEpoch(gate, ['alice', 'bob'])).toBe(4)
  expect(Date.parse((await shown())[0]?.until ?? '')).toBeGreaterThan(Date.parse(now?.until ?? ''))
})

test('H4: within an environment only the roles named observe; a role that nobody names, and a child, is enforced', async () => {
  const observed = { name: 'staging', accounts: [ACCOUNT], mode: 'observe' as const }
  await start({ environments: [{ ...observed, observeRoles: ['probe'] }] })
  const [shown] = (await gate.client.facts()).observing
  expect(shown).toMatchObject({ name: 'staging', roles: ['probe'] })
  // The session of this test is under the role `deploy`.
  expect((await rawCall(keys, deleteTable('orders'))).body).toContain('needs review')
  expect(upstream.seen.filter(({ operation }) => operation === 'DeleteTable')).toEqual([])

  await gate.running.close()
  await gate.restart({ environments: [{ ...observed, observeRoles: ['probe', 'deploy'] }] })
  expect(await activateEpoch(gate, ['alice', 'bob'])).toBe(2)
  keys = await gate.open('alice')
  expect((await rawCall(keys, deleteTable('orders'))).status).toBe(200)
  const [intent] = (await gate.entries()).filter(({ type }) => type === 'intent')
  expect(intent).toMatchObject({ observed: 'review' })
})

test('H4: who asks whether the gate is ready hears what observes from memory, whatever the state does', async () => {
  await start({ environments: [{ name: 'staging', accounts: [ACCOUNT], mode: 'observe' }] })
  const { observing } = await gate.client.facts()
  expect(observing).toHaveLength(1)
  const { store } = gate.running.gate
  const plain = store.activeEpoch.bind(store)
  // Whatever else of the gate asks for it meanwhile has its answer afterwards.
  const asked = Promise.withResolvers<void>()
  store.activeEpoch = () => asked.promise.then(plain)
  try {
    const signal = AbortSignal.timeout(60_000)
    const ready = await fetch(`${gate.running.consoleUrl}/readyz`, { signal })
    expect(await ready.json()).toMatchObject({ observing })
  } finally {
    store.activeEpoch = plain
    asked.resolve()
  }
})
