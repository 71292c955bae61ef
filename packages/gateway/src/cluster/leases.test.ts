// A gateway that slept through the end of what it had for itself, on a real PostgreSQL: another one has taken
// over, so whatever it was about to change or to record is refused, and what others do goes on.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { PostgresDatabase } from '../state/postgres.ts'
import { parsePostgresUrl } from '../state/postgres-address.ts'
import { migratePostgres } from '../state/postgres-schema.ts'
import { noPostgres, PostgresServer } from '../state/postgres-server.fixture.ts'
import { MIGRATIONS } from '../state/schema.ts'
import { DatabaseMutexes } from './database-mutexes.ts'
import { Membership } from './membership.ts'
import { Order } from './order.ts'
import { CLUSTER_MIGRATIONS } from './schema.ts'

const absent = await noPostgres()
const name = (words: string) => (absent === null ? words : `${words} (skipped: ${absent})`)
const onServer = absent === null ? test : test.skip

interface Gateway {
  readonly database: PostgresDatabase
  readonly mutexes: DatabaseMutexes
  readonly order: Order
}

let server: PostgresServer
let databases = 0
const gateways: Gateway[] = []

beforeAll(async () => {
  if (absent === null) server = await PostgresServer.start()
})
afterAll(() => server?.remove())
beforeEach(() => {
  databases += 1
})
afterEach(async () => {
  for (const { database } of gateways.splice(0)) await database.close()
})

async function twoGateways(): Promise<[Gateway, Gateway]> {
  const url = await server.database(`leases${databases}`)
  const made = async () => {
    const database = new PostgresDatabase(parsePostgresUrl(url))
    await migratePostgres(database, [
      { name: 'state', texts: MIGRATIONS },
      { name: 'cluster', texts: CLUSTER_MIGRATIONS },
    ])
    const membership = new Membership(database, 'test')
    await membership.join()
    const hooks = { alongWith: async () => undefined, stopped: () => undefined }
    const order = new Order(database, membership.id, hooks)
    const gateway = { database, mutexes: new DatabaseMutexes(database), order }
    gateways.push(gateway)
    return gateway
  }
  const one = await made()
  await one.database.run(
    'INSERT INTO ledger_head (id, size, at_ms) VALUES (1, 0, 0) ON CONFLICT DO NOTHING',
  )
  return [one, await made()]
}

const KEPT = 'INSERT INTO meta (key, value) VALUES (?, ?)'
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const lostWords = {
  code: 'state_error',
  message: expect.stringContaining('taken over `request r`'),
}

/** `slept` goes on in the middle of its work once the other gateway has taken it over and done its own. */
async function takenOver<T>(one: Gateway, two: Gateway, slept: () => Promise<T>): Promise<T> {
  const isIn = Promise.withResolvers<void>()
  const wake = Promise.withResolvers<void>()
  const work = one.mutexes.run('request r', async () => {
    isIn.resolve()
    await wake.promise
    return slept()
  })
  work.catch(() => undefined)
  await isIn.promise
  // As its row is when nothing was heard of it for long enough.
  await server.query(`UPDATE locks SET expires_at_ms = 0`, `leases${databases}`)
  await two.mutexes.run('request r', () => two.database.run(KEPT, 'by', 'two'))
  wake.resolve()
  return work
}

onServer(
  name(
    'what was taken over changes no state, in one statement or a transaction, and is read freely',
  ),
  async () => {
    const [one, two] = await twoGateways()
    const statement = takenOver(one, two, () => one.database.run(KEPT, 'late', 'one'))
    await expect(statement).rejects.toMatchObject(lostWords)
    await two.database.run('DELETE FROM meta WHERE key = ?', 'by')
    const transaction = takenOver(one, two, () =>
      one.database.transaction((sql) => sql.run(KEPT, 'late', 'one')),
    )
    await expect(transaction).rejects.toMatchObject(lostWords)
    await two.database.run('DELETE FROM meta WHERE key = ?', 'by')
    const read = await takenOver(one, two, () => one.database.one('SELECT value FROM meta'))
    expect(read).toBeDefined()
    const late = await two.database.all('SELECT value FROM meta WHERE key = ?', 'late')
    expect(late).toEqual([])
  },
)

onServer(
  name(
    'what was taken over records nothing but an outcome; what others record beside it has its place',
  ),
  async () => {
    const [one, two] = await twoGateways()
    const beside: Promise<unknown>[] = []
    const [late, outcome] = await takenOver(one, two, async () => {
      const mine = one.order.append(bytes({ type: 'review', from: 'one' }))
      const ended = one.order.append(bytes({ type: 'outcome', effect: 'e-1' }))
      return Promise.allSettled([mine, ended])
    })
    expect(late).toMatchObject({ status: 'rejected', reason: lostWords })
    expect(outcome).toMatchObject({ status: 'fulfilled' })
    beside.push(one.order.append(bytes({ type: 'read' })))
    await Promise.all(beside)
    const entries = await two.database.all('SELECT entry FROM ledger_entries ORDER BY idx')
    expect(entries.map(({ entry }) => JSON.parse(String(entry)).type)).toEqual(['outcome', 'read'])
  },
)

onServer(
  name(
    'who kept it changes and records, also past its end while nobody took it; afterwards nothing is fenced',
  ),
  async () => {
    const [one] = await twoGateways()
    let later: () => Promise<number> = async () => 0
    await one.mutexes.run('request r', async () => {
      await server.query(`UPDATE locks SET expires_at_ms = 0`, `leases${databases}`)
      await one.database.run(KEPT, 'a', '1')
      await one.database.transaction((sql) => sql.run(KEPT, 'b', '1'))
      await one.order.append(bytes({ type: 'review' }))
      // Nested, as one thing within another.
      await one.mutexes.run('people', () => one.database.run(KEPT, 'c', '1'))
      // Left behind by the work: it does not need what is over.
      later = bound(() => one.database.run(KEPT, 'd', '1'))
    })
    expect(await later()).toBe(1)
    const kept = await one.database.all('SELECT key FROM meta ORDER BY key')
    expect(kept.map(({ key }) => key).filter((key) => String(key).length === 1)).toEqual([
      ...'abcd',
    ])
  },
)

onServer(
  name('whoever goes on in turn hears that another one has taken over'),
  async () => {
    const [one, two] = await twoGateways()
    const isIn = Promise.withResolvers<void>()
    const turn = one.mutexes.tryRun('turn notify', (lost) => {
      isIn.resolve()
      return lost
    })
    await isIn.promise
    await server.query(`UPDATE locks SET expires_at_ms = 0`, `leases${databases}`)
    const other = two.mutexes.tryRun('turn notify', () => turn)
    expect(await turn).toBe(true)
    expect(await other).toBe(true)
  },
  30_000,
)

/** As a timer that was set within: what it calls runs in the context that it was made in. */
function bound<T>(work: () => Promise<T>): () => Promise<T> {
  const gate = Promise.withResolvers<void>()
  const done = gate.promise.then(work)
  return () => {
    gate.resolve()
    return done
  }
}
