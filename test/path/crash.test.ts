// `kill -9` of the gate between any two steps: after a restart the ledger verifies, no effect happened
// without an intent, no grant worked twice, and what was answered is on record.
import { setTimeout as pause } from 'node:timers/promises'
import type { LedgerEntry } from '@seconder/cli/ledger-folder'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GateProcess } from '../fakes/gate-process.ts'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { type Random, randomOf } from '../torture/random.ts'
import { idIn } from './acts.ts'
import type { Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const number = (name: string, fallback: number) =>
  Number(process.env[`SECONDER_TORTURE_${name}`] ?? fallback)
/** Beside eight kills at chosen moments: for ten rounds of test/torture/crash.test.ts, one of a process here. */
const ROUNDS = Math.ceil(number('ROUNDS', 84) / 10)
/** Rounds on one gate; then a new one, so that its ledger stays short and nobody asks too often. */
const ROUNDS_PER_GATE = 20
const SEED = number('SEED', Date.now() % 1_000_000)
const MINUTES = number('MINUTES', 10)

let upstream: FakeUpstream
let gate: GateProcess
let keys: Keys

beforeAll(async () => {
  upstream = await startFakeUpstream()
  await newGate()
})

async function newGate(): Promise<void> {
  upstream.seen.length = 0
  gate = await GateProcess.create(upstream.url)
  await gate.start()
  keys = await gate.open('alice')
}

afterAll(async () => {
  await gate.remove()
  await upstream.close()
})

const deleteTable = (name: string) => dynamodbCall('DeleteTable', { TableName: name })
const tableOf = (body: Uint8Array) =>
  (JSON.parse(Buffer.from(body).toString()) as { TableName: string }).TableName
const deletionsOf = (name: string) =>
  upstream.seen.filter(
    ({ operation, request }) => operation === 'DeleteTable' && tableOf(request.body) === name,
  ).length
const arnOf = (name: string) => `arn:aws:dynamodb:eu-west-1:123456789012:table/${name}`
const about = (entries: readonly LedgerEntry[], type: string, name: string) =>
  entries.filter(
    (entry) => entry.type === type && (entry['resources'] as string[]).includes(arnOf(name)),
  )

/** What must hold of a ledger and of what the upstream saw, whenever the gate died. */
function expectSound(entries: readonly LedgerEntry[], words: string): void {
  const intents = entries.filter(({ type }) => type === 'intent')
  const grants = intents.map(({ grant }) => grant)
  expect(new Set(grants).size, `${words}: a grant has two intents`).toBe(grants.length)
  expect(grants.includes(null), `${words}: an effect in production without a grant`).toBe(false)
  const made = new Map(
    entries.flatMap((entry, index) =>
      entry.type === 'grant-made' ? [[entry['grant'], index]] : [],
    ),
  )
  const outcomes = new Map(
    entries.flatMap((entry, index) => (entry.type === 'outcome' ? [[entry['effect'], index]] : [])),
  )
  entries.forEach((entry, index) => {
    if (entry.type !== 'intent') return
    expect(made.get(entry['grant']), `${words}: an intent before its grant`).toBeLessThan(index)
    expect(outcomes.get(entry['effect']), `${words}: an intent without outcome`).toBeGreaterThan(
      index,
    )
  })
  const tables = upstream.seen
    .filter(({ operation }) => operation === 'DeleteTable')
    .map(({ request }) => tableOf(request.body))
  for (const name of new Set(tables)) {
    const intended = about(entries, 'intent', name).length
    expect(deletionsOf(name), `${words}: ${name} without an intent`).toBeLessThanOrEqual(intended)
  }
}

/** Waits for the end of the killed gate, reads its files as they are, and starts it again. */
async function afterTheKill(words: string): Promise<readonly LedgerEntry[]> {
  await gate.gone()
  const left = await gate.verified()
  for (const { operation, request } of upstream.seen) {
    if (operation !== 'DeleteTable') continue
    const name = tableOf(request.body)
    expect(about(left, 'intent', name).length, `${words}: no durable intent`).toBeGreaterThan(0)
  }
  await gate.start()
  const entries = await gate.verified()
  expect(entries.slice(0, left.length), `${words}: an entry was lost`).toEqual(left)
  expectSound(entries, words)
  return entries
}

/** Kills the gate when the upstream gets its `count`th `operation` from now on, before any answer. */
function killOnReceipt(operation: string, count: number): void {
  let got = 0
  upstream.script = (seen) => {
    if (seen.operation === operation && ++got === count) {
      gate.kill()
      return 'silence'
    }
    return defaultScript(seen)
  }
}

const LOOK_UPS = ['DescribeTable', 'DescribeContinuousBackups', 'ListBackups']

test.each(LOOK_UPS)(
  'killed at the look-up %s of a new call: nothing was done, and it is asked anew',
  async (operation) => {
    const name = `new-${operation}`
    killOnReceipt(operation, 1)
    await expect(rawCall(keys, deleteTable(name))).rejects.toThrow()
    upstream.script = defaultScript
    await afterTheKill(name)
    const id = idIn(await rawCall(keys, deleteTable(name)))
    await gate.approve('bob', id)
    expect((await rawCall(keys, deleteTable(name))).status).toBe(200)
    expect(deletionsOf(name)).toBe(1)
  },
)

test('killed at the look-up of an approved call: the approval is still good, once', async () => {
  const name = 'approved'
  await gate.approve('bob', idIn(await rawCall(keys, deleteTable(name))))
  killOnReceipt('DescribeTable', 1)
  await expect(rawCall(keys, deleteTable(name))).rejects.toThrow()
  upstream.script = defaultScript
  await afterTheKill(name)
  expect(deletionsOf(name)).toBe(0)
  const signedAtMs = Date.now() - 5_000
  expect((await rawCall(keys, { ...deleteTable(name), signedAtMs })).status).toBe(200)
  expect((await rawCall(keys, deleteTable(name))).body).toContain('needs review')
  expect(deletionsOf(name)).toBe(1)
})

test('killed when the effect is on its way: its outcome is unknown, and a re-run needs a new review', async () => {
  const name = 'under-way'
  const id = idIn(await rawCall(keys, deleteTable(name)))
  await gate.approve('bob', id)
  killOnReceipt('DeleteTable', 1)
  await expect(rawCall(keys, deleteTable(name))).rejects.toThrow()
  upstream.script = defaultScript
  const entries = await afterTheKill(name)
  const [intent] = about(entries, 'intent', name)
  const outcomes = entries.filter(
    ({ type, effect }) => type === 'outcome' && effect === intent?.['effect'],
  )
  expect(outcomes).toMatchObject([{ outcome: { result: 'unknown' } }])
  expect(gate.notices.join(' ')).toContain('its outcome is unknown')
  expect(idIn(await rawCall(keys, deleteTable(name)))).not.toBe(id)
  expect(deletionsOf(name)).toBe(1)
})

test.each([0, 2, 8])(
  'killed %i ms after the upstream answered: one effect, an outcome, no second use',
  async (delayMs) => {
    const name = `answered-${delayMs}`
    const id = idIn(await rawCall(keys, deleteTable(name)))
    await gate.approve('bob', id)
    upstream.script = (seen) => {
      if (seen.operation === 'DeleteTable') setTimeout(() => gate.kill(), delayMs)
      return defaultScript(seen)
    }
    const answer = await rawCall(keys, deleteTable(name)).catch(() => null)
    upstream.script = defaultScript
    const entries = await afterTheKill(name)
    if (answer?.status === 200) {
      const [intent] = about(entries, 'intent', name)
      const first = entries.find(
        ({ type, effect }) => type === 'outcome' && effect === intent?.['effect'],
      )
      expect(first).toMatchObject({ outcome: { result: 'accepted', status: 200 } })
    }
    expect(idIn(await rawCall(keys, deleteTable(name)))).not.toBe(id)
    expect(deletionsOf(name)).toBe(1)
  },
)

interface Acknowledged {
  readonly requests: Set<string>
  readonly grants: Set<string>
  readonly deleted: Set<string>
  reads: number
}

/** An agent and a reviewer at work until the gate is gone; keeps what the gate had answered. */
async function work(session: Keys, name: string, told: Acknowledged): Promise<void> {
  for (let count = 0; count < 50; count++) {
    const table = `${name}-${count}`
    if ((await rawCall(session, dynamodbCall('ListTables', {}))).status === 200) told.reads++
    const id = idIn(await rawCall(session, deleteTable(table)))
    told.requests.add(id)
    const { state } = await gate.approve('bob', id)
    if (state === 'approved') told.grants.add(id)
    const runs = [0, 3_000].map((ageMs) =>
      rawCall(session, { ...deleteTable(table), signedAtMs: Date.now() - ageMs }),
    )
    for (const run of await Promise.allSettled(runs)) {
      if (run.status === 'fulfilled' && run.value.status === 200) told.deleted.add(table)
    }
  }
}

test(
  `killed at any time under load, ${ROUNDS} times: the same holds every time`,
  async () => {
    process.stdout.write(`torture: crash of a process, seed ${SEED}, ${ROUNDS} rounds\n`)
    const random = randomOf(SEED, 0)
    const untilMs = Date.now() + MINUTES * 60_000
    let deleted = 0
    let rounds = 0
    while (rounds < ROUNDS && Date.now() < untilMs) {
      const count = Math.min(ROUNDS_PER_GATE, ROUNDS - rounds)
      deleted += await killAgainAndAgain(random, rounds, count)
      rounds += count
      if (rounds === ROUNDS) break
      process.stdout.write(`torture: ${rounds} of ${ROUNDS} kills of a process\n`)
      await gate.remove()
      await newGate()
    }
    process.stdout.write(`torture: seed ${SEED}, ${JSON.stringify({ kills: rounds, deleted })}\n`)
    expect(deleted).toBeGreaterThan(0)
  },
  (MINUTES + 10) * 60_000,
)

/** Returns how many tables were deleted and said to be. */
async function killAgainAndAgain(random: Random, first: number, count: number): Promise<number> {
  const told: Acknowledged = {
    requests: new Set(),
    grants: new Set(),
    deleted: new Set(),
    reads: 0,
  }
  const readsBefore = (await gate.verified()).filter(({ type }) => type === 'read').length
  for (let round = 0; round < count; round++) {
    const words = `seed ${SEED} round ${first + round}`
    const session = round % 5 === 0 ? keys : await gate.open('alice')
    const workers = ['a', 'b'].map((worker) =>
      work(session, `${worker}-${first + round}`, told).catch(() => undefined),
    )
    await atAnyTime(random, round, round === count - 1 ? told : null)
    await Promise.all(workers)
    const entries = await afterTheKill(words)
    const requestsOf = (type: string) =>
      new Set(entries.filter((entry) => entry.type === type).map(({ request }) => request))
    const [opened, granted] = [requestsOf('request-opened'), requestsOf('grant-made')]
    for (const id of told.requests) expect(opened.has(id), `${words}: ${id}`).toBe(true)
    for (const id of told.grants) expect(granted.has(id), `${words}: ${id}`).toBe(true)
    for (const name of told.deleted) expect(deletionsOf(name), `${words}: ${name}`).toBe(1)
    const reads = entries.filter(({ type }) => type === 'read').length
    expect(reads - readsBefore, words).toBeGreaterThanOrEqual(told.reads)
    for (const { operation, request } of upstream.seen) {
      if (operation !== 'DeleteTable') continue
      expect(deletionsOf(tableOf(request.body)), `${words}: twice`).toBe(1)
    }
    keys = round % 5 === 4 ? await gate.open('alice') : keys
  }
  return told.deleted.size
}

/** Kills the gate; of the last round not before something was deleted, however slow the machine is. */
async function atAnyTime(random: Random, round: number, told: Acknowledged | null): Promise<void> {
  await pause(Math.floor(random() * (250 + 50 * round)))
  if (told) await expect.poll(() => told.deleted.size).toBeGreaterThan(0)
  gate.kill()
}
