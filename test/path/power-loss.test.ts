// A loss of power may take the last changes of the state, never an entry of the ledger: the next start
// makes the state know them again, so that no grant and no signature works twice.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { resumeAgentSession } from '@seconder/cli/opening'
import { signerFor } from '@seconder/cli/signing'
import { requirePeer } from '@seconder/gateway/identify/session-peer'
import type { SessionRow } from '@seconder/gateway/state/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall, send, signed } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const state = () => join(gate.folder, 'state')
const kept = () => join(gate.folder, 'state-before')

/** What the disk has for certain now: the state as it is. */
const keepState = () => cpSync(state(), kept(), { recursive: true })

/** Stops the gate, and gives it the state that was kept: as if what came later had been lost. */
async function losePower(): Promise<void> {
  await gate.running.close()
  rmSync(state(), { recursive: true })
  cpSync(kept(), state(), { recursive: true })
  await gate.restart()
}

test('a grant whose use was lost from the state is used: the ledger has its intent', async () => {
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
  const call = () => rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  const id = idIn(await call())
  await gate.review('bob', id)
  keepState()
  expect((await call()).status).toBe(200)
  expect(deletions()).toBe(1)
  await losePower()
  const again = await call()
  expect(again.status).not.toBe(200)
  expect(idIn(again)).not.toBe(id)
  expect(deletions()).toBe(1)
  await gate.checkLedger()
})

test('without a loss the same grant is used up too, and before its use it is ready after one', async () => {
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
  const call = () => rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  await gate.review('bob', idIn(await call()))
  keepState()
  await losePower()
  expect((await call()).status).toBe(200)
  expect(deletions()).toBe(1)
})

test('a signature whose use was lost from the state is used: its copy is refused', async () => {
  const observed = [{ name: 'production', accounts: ['123456789012'], mode: 'observe' as const }]
  gate = await Harness.start({ upstream: upstream.url, environments: observed })
  keys = await gate.open('alice')
  keepState()
  const request = signed(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  expect((await send(keys, request)).status).toBe(200)
  await losePower()
  const copy = await send(keys, request)
  expect(copy.status).not.toBe(200)
  expect(copy.body).toContain('already made once')
  expect(deletions()).toBe(1)
})

test('an effect that only the ledger knows, and no outcome of, is unknown after the start', async () => {
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
  const call = () => rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  await gate.review('bob', idIn(await call()))
  keepState()
  const ledger = join(gate.folder, 'ledger')
  const ledgerThen = join(gate.folder, 'ledger-then')
  const { script } = upstream
  // While the upstream works the intent is durable, and nothing else is written.
  upstream.script = (seen) => {
    if (seen.operation === 'DeleteTable') cpSync(ledger, ledgerThen, { recursive: true })
    return script(seen)
  }
  expect((await call()).status).toBe(200)
  await gate.running.close()
  for (const [folder, from] of [
    [state(), kept()],
    [ledger, ledgerThen],
  ] as const) {
    rmSync(folder, { recursive: true })
    cpSync(from, folder, { recursive: true })
  }
  await gate.restart()
  expect(gate.running.notices.join('\n')).toContain('its outcome is unknown')
  const entries = await gate.entries()
  const intent = entries.find(({ type }) => type === 'intent')
  const outcome = entries.find(({ type }) => type === 'outcome')
  expect(outcome).toMatchObject({ effect: intent?.['effect'], outcome: { result: 'unknown' } })
  expect((await call()).status).not.toBe(200)
  expect(deletions()).toBe(1)
})

test('H17 keys that were suspended, or replaced, open nothing where the state lost that: the ledger has it', async () => {
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
  const list = (by: Keys) => rawCall(by, dynamodbCall('ListTables', {}))
  const resumed = async () => {
    const signer = await signerFor(gate.client, gate.keys.get('alice'))
    return resumeAgentSession(gate.client, signer, { session: keys.sessionId, lifetimeMs: 60_000 })
  }
  expect((await list(keys)).status).toBe(200)
  keepState()
  const { gate: parts } = gate.running
  const session = (await parts.store.session(keys.sessionId)) as SessionRow
  await expect(requirePeer(parts, session, async () => 'user 4711')).rejects.toMatchObject({
    code: 'session_elsewhere',
  })
  await losePower()
  expect((await list(keys)).body).toContain('it is suspended')

  const old = (await gate.running.gate.store.meta('checkpoint')) ?? ''
  const fresh = await resumed()
  expect((await list(fresh)).status).toBe(200)
  keepState()
  const lost = await resumed()
  await losePower()
  // Nobody has the newest keys, and those before them were given up.
  for (const some of [keys, fresh, lost]) expect((await list(some)).status).toBe(400)
  const last = await resumed()
  expect((await list(last)).status).toBe(200)

  // What the ledger says of keys that were replaced since changes nothing about those of now.
  await gate.running.gate.store.setMeta('checkpoint', old)
  keepState()
  await losePower()
  expect((await list(last)).status).toBe(200)
})
