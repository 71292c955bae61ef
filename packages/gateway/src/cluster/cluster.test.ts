// Several gateways' halves of one ledger on a real PostgreSQL: one order, one publisher at a time, and what
// is left by one that died or was only thought to.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyDirectory } from '@seconder/ledger/directory'
import { type Files, nodeFiles } from '@seconder/ledger/files'
import { SharedLog } from '@seconder/ledger/shared-log'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { PostgresDatabase } from '../state/postgres.ts'
import { parsePostgresUrl } from '../state/postgres-address.ts'
import { migratePostgres } from '../state/postgres-schema.ts'
import { noPostgres, PostgresServer } from '../state/postgres-server.fixture.ts'
import { MIGRATIONS } from '../state/schema.ts'
import { SqlStore } from '../state/sql-store.ts'
import { DatabaseMutexes } from './database-mutexes.ts'
import { LEASE_MS, Publishing } from './publishing.ts'
import { CLUSTER_MIGRATIONS } from './schema.ts'
import { SharedLedger } from './shared-ledger.ts'

const absent = await noPostgres()
const name = (words: string) => (absent === null ? words : `${words} (skipped: ${absent})`)
const onServer = absent === null ? test : test.skip

const { privateKey: signer } = generateKeyPairSync('ed25519')
const origin = 'seconder.invalid/test'

interface Member {
  readonly ledger: SharedLedger
  readonly database: PostgresDatabase
  readonly heard: number[]
  readonly stopped: Error[]
  readonly trouble: string[]
}

let server: PostgresServer
let url: string
let directory: string
let databases = 0
const members: Member[] = []

beforeAll(async () => {
  if (absent === null) server = await PostgresServer.start()
})
afterAll(() => server?.remove())
beforeEach(async () => {
  if (absent !== null) return
  databases += 1
  url = await server.database(`cluster${databases}`)
  const database = new PostgresDatabase(parsePostgresUrl(url))
  await migratePostgres(database, [
    { name: 'state', texts: MIGRATIONS },
    { name: 'cluster', texts: CLUSTER_MIGRATIONS },
  ])
  await database.close()
  directory = mkdtempSync(join(tmpdir(), 'seconder-cluster-'))
})
afterEach(async () => {
  for (const { ledger, database } of members.splice(0)) {
    await ledger.close()
    await database.close()
  }
  rmSync(directory, { recursive: true, force: true })
})

async function join3(): Promise<[Member, Member, Member]> {
  return [await joined(), await joined(), await joined()]
}

async function joined(
  at = directory,
  hears?: (entry: { readonly index: number }) => void,
): Promise<Member> {
  const database = new PostgresDatabase(parsePostgresUrl(url))
  const [heard, stopped, trouble]: [number[], Error[], string[]] = [[], [], []]
  const ledger = await SharedLedger.open({
    ...{ database, directory: at, origin, signer, place: 'test' },
    heard: hears ?? (({ index }) => heard.push(index)),
    stopped: (cause) => stopped.push(cause),
    trouble: (words) => trouble.push(words),
  })
  const member = { ledger, database, heard, stopped, trouble }
  members.push(member)
  return member
}

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const founded = (member: Member) => member.ledger.founded(() => JSON.stringify({ type: 'first' }))
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, position) => from + position)

async function verified(size: number): Promise<readonly unknown[]> {
  const verifierKey = members[0]?.ledger.verifierKey ?? ''
  // While gateways run, files are replaced between two reads of one look; what is wrong stays wrong.
  let report = await verifyDirectory(directory, { verifierKey })
  for (let looks = 1; looks < 5 && report.problems.length > 0; looks++) {
    process.stdout.write(`${JSON.stringify(report.problems)}\n`)
    report = await verifyDirectory(directory, { verifierKey })
  }
  expect(report.problems).toEqual([])
  expect(report.size).toBe(size)
  const entries: unknown[] = []
  // One that is no more hears of nothing.
  const reader = members.find(({ ledger }) => ledger.size >= size)
  for (const index of range(0, size)) {
    const entry = await reader?.ledger.read(index)
    entries.push(JSON.parse(new TextDecoder().decode(entry)))
  }
  return entries
}

onServer(
  name('three gateways write one order without a gap, and each hears all of it'),
  async () => {
    const all = await join3()
    const firsts = await Promise.all(
      all.map(({ ledger }, who) => ledger.founded(() => JSON.stringify({ type: 'first', who }))),
    )
    expect(new Set(firsts.map((first) => new TextDecoder().decode(first))).size).toBe(1)
    const appended = await Promise.all(
      range(0, 900).map((n) => (all[n % 3] as Member).ledger.append(bytes({ n }))),
    )
    expect(appended.map(({ index }) => index).sort((a, b) => a - b)).toEqual(range(1, 901))
    for (const { ledger, heard } of all) {
      await expect.poll(() => ledger.checkpoint().size, { timeout: 20_000 }).toBe(901)
      await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(900)
      expect(heard.slice(-900)).toEqual(range(1, 901))
    }
    const entries = await verified(901)
    for (const [n, { index }] of appended.entries()) expect(entries[index]).toEqual({ n })
    for (const { ledger } of all) {
      expect(JSON.parse(new TextDecoder().decode(await ledger.read(77)))).toEqual(entries[77])
      await expect(ledger.read(901)).rejects.toMatchObject({ code: 'entry_unknown' })
    }
  },
)

onServer(
  name('a publisher that loses its lease is refused, and another goes on at once'),
  async () => {
    const all = await join3()
    await founded(all[0])
    for (const round of range(0, 8)) {
      await Promise.all(range(0, 40).map((n) => (all[n % 3] as Member).ledger.append(bytes({ n }))))
      // The lease ends while its holder believes that it has it.
      if (round % 2 === 0)
        await server.query('UPDATE ledger_publication SET expires_at_ms = 0', db())
      else await server.query('UPDATE ledger_publication SET token = token + 1', db())
    }
    for (const { ledger } of all) {
      await expect.poll(() => ledger.checkpoint().size, { timeout: 20_000 }).toBe(321)
    }
    await verified(321)
  },
)

/** As nodeFiles; `at` is waited for before each checkpoint is written. */
function pausing(at: () => Promise<void>): Files {
  const files = nodeFiles()
  return {
    ...files,
    async create(path) {
      const file = await files.create(path)
      return {
        ...file,
        async write(content, position) {
          if (Buffer.from(content).toString().startsWith(origin)) await at()
          await file.write(content, position)
        },
      }
    },
  }
}

onServer(
  name('a publisher that sleeps before it shows its checkpoint puts it over no newer one'),
  async () => {
    const database = new PostgresDatabase(parsePostgresUrl(url))
    let atCheckpoint = () => Promise.resolve()
    const publishing = async (writer: string) => {
      const files = pausing(() => (writer === 'g-a' ? atCheckpoint() : Promise.resolve()))
      const log = await SharedLog.open({ directory, origin, signer, writer }, files)
      return new Publishing(database, log, writer)
    }
    let asleepMs = 0
    const running = performance.now.bind(performance)
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => running() + asleepMs)
    const place = async (from: number, to: number) => {
      await database.run('UPDATE ledger_head SET size = ? WHERE id = 1', to)
      const rows = range(from, to).map((n) => `(${n}, '{"n":${n}}')`)
      await database.run(`INSERT INTO ledger_entries (idx, entry) VALUES ${rows.join(', ')}`)
    }
    const shown = () => readFileSync(join(directory, 'checkpoint'), 'utf8')
    try {
      await database.run('INSERT INTO ledger_head VALUES (1, 0, 0)')
      await database.run(`INSERT INTO ledger_publication VALUES (1, 0, '', '', 0, 0)`)
      const [one, other] = [await publishing('g-a'), await publishing('g-b')]
      await place(0, 5)
      await one.round()
      const early = shown()
      expect(early).toContain('\n5\n')
      await place(5, 10)
      atCheckpoint = async () => {
        atCheckpoint = () => Promise.resolve()
        asleepMs += 2 * LEASE_MS
        await database.run('UPDATE ledger_publication SET expires_at_ms = 0')
        await place(10, 15)
        await other.round()
      }
      await one.round()
      expect(one.holds).toBe(false)
      expect(shown()).toContain('\n15\n')
      // Files know of no lease: a rename that was under way may come at any time.
      const newest = shown()
      writeFileSync(join(directory, 'checkpoint'), early)
      asleepMs += 1_000
      await other.round()
      expect(shown()).toBe(newest)
      // What the state does not know is named, and not overwritten.
      await other.yield()
      await database.run('UPDATE ledger_publication SET published = 5, note = ?', early)
      asleepMs += 1_000
      await expect(one.round()).rejects.toMatchObject({ code: 'ledger_older_than_acknowledged' })
      expect(shown()).toBe(newest)
    } finally {
      clock.mockRestore()
      await database.close()
    }
  },
)

const db = () => `cluster${databases}`
const effect = (gateway: string, id: string, state: string) =>
  server.query(
    `INSERT INTO effects (id, session_id, operation, state, gateway)
     VALUES ('${id}', 's-1', 'x:Delete', '${state}', '${gateway}')`,
    db(),
  )

onServer(
  name('what a dead gateway had begun becomes unknown, once, and never while it lives'),
  async () => {
    const [one, two, three] = await join3()
    await founded(one)
    const dead = one.ledger.membership.id
    for (const id of ['e-intended', 'e-ended', 'e-accepted', 'e-never'])
      await effect(dead, id, 'open')
    for (const id of ['e-intended', 'e-ended', 'e-accepted']) {
      await one.ledger.append(bytes({ type: 'intent', effect: id }))
    }
    const outcome = (id: string, result: string) =>
      one.ledger.append(bytes({ type: 'outcome', effect: id, outcome: { result } }))
    await outcome('e-ended', 'succeeded')
    await outcome('e-accepted', 'accepted')
    expect(await two.ledger.membership.bury()).toEqual([])
    expect(two.ledger.size).toBeLessThanOrEqual(6)

    await server.query(`UPDATE gateways SET expires_at_ms = 0 WHERE id = '${dead}'`, db())
    const buried = await Promise.all([two, three].map(({ ledger }) => ledger.membership.bury()))
    const byTimer = buried.flat().length === 0
    if (!byTimer)
      expect(buried.flat()).toEqual([
        { effects: [{ effect: 'e-intended', operation: 'x:Delete' }], plans: [] },
      ])
    // It only slept: nothing of it counts any more.
    await expect(outcome('e-intended', 'succeeded')).rejects.toMatchObject({
      code: 'ledger_stopped',
    })
    await expect(one.ledger.append(bytes({ n: 1 }))).rejects.toMatchObject({
      code: 'ledger_stopped',
    })
    expect(one.stopped.length).toBeGreaterThan(0)
    await expect.poll(() => two.ledger.checkpoint().size, { timeout: 20_000 }).toBe(8)
    const ended = (await verified(8)).slice(6) as { effect: string; outcome: { result: string } }[]
    expect(ended.map(({ effect: id, outcome: { result } }) => [id, result])).toEqual([
      ['e-intended', 'unknown'],
      ['e-accepted', 'confirmed'],
    ])
    expect(await server.query('SELECT id FROM effects', db())).toEqual([])
  },
)

onServer(
  name(
    'a step of a plan is recorded before its approval is taken back, by whichever gateway, or not at all',
  ),
  async () => {
    const [one, two] = await join3()
    await founded(one)
    const granted = (id: string) =>
      server.query(
        `INSERT INTO grants (id, request_id, session_id, digest, epoch, state, expires_at_ms)
         VALUES ('g-${id}', 'p-${id}', 's-1', 'd', 1, 'ready', 1)`,
        db(),
      )
    const intent = (id: string, effect: string) =>
      one.ledger.append(
        bytes({ type: 'intent', effect, grant: `g-${id}`, plan: { plan: `p-${id}`, step: 1 } }),
      )
    /** As the store and the recorder of a gateway do: the state first, then the entry. */
    const revoked = async (id: string) => {
      await two.database.run(`UPDATE grants SET state = 'revoked' WHERE id = ?`, `g-${id}`)
      return two.ledger.append(bytes({ type: 'grant-revoked', grant: `g-${id}` }))
    }
    const closed = { code: 'request_closed' }
    await granted('a')
    await intent('a', 'e-1')
    await revoked('a')
    // What is given its place along with it keeps it.
    const [late, beside] = [intent('a', 'e-2'), one.ledger.append(bytes({ n: 1 }))]
    await expect(late).rejects.toMatchObject(closed)
    expect((await beside).index).toBe(3)
    for (const round of ['b', 'c', 'd', 'e', 'f', 'g']) {
      await granted(round)
      const [begun, ended] = await Promise.allSettled([intent(round, `e-${round}`), revoked(round)])
      if (ended.status === 'rejected') throw ended.reason
      if (begun.status === 'rejected') expect(begun.reason).toMatchObject(closed)
      else expect(begun.value.index).toBeLessThan(ended.value.index)
    }
  },
)

onServer(
  name('keys that were replaced end with the entry that says so, whoever dies after it'),
  async () => {
    const one = await joined()
    await founded(one)
    const store = new SqlStore(one.database)
    const session = (id: string, parent: string | null) => ({
      ...{ id, parent, accessKeyId: `KEY${id}`, secretAccessKey: 'secret', maskKey: '00' },
      ...{ agent: 'agent', operator: 'alice', roleName: 'r', roleArn: 'arn:aws:iam::1:role/r' },
      ...{
        openedAtMs: 1,
        expiresAtMs: 10,
        closedAtMs: null,
        suspendedAtMs: null,
        task: null,
        instigators: [],
      },
    })
    await store.addSession(session('s', null))
    expect(await store.addChild(session('c', 's'), 'KEYs', 1, 5)).toBe(true)
    const resumed = (replaced: string) => {
      const entry = { type: 'session-resumed', at: new Date(7).toISOString(), session: 's' }
      return one.ledger.append(bytes({ ...entry, replaced }))
    }
    const suspendedAt = async () => [
      (await store.session('s'))?.suspendedAtMs,
      (await store.session('c'))?.suspendedAtMs,
    ]
    await resumed('KEYbefore')
    expect(await suspendedAt()).toEqual([null, null])
    await resumed('KEYs')
    expect(await suspendedAt()).toEqual([7, 7])
    const keys = { accessKeyId: 'NEW', secretAccessKey: 'new', expiresAtMs: 10 }
    expect(await store.resumeSession('s', keys, 8)).toMatchObject({ children: ['c'] })
    expect((await store.session('s'))?.suspendedAtMs).toBe(null)
  },
)

onServer(name('what a gateway followed that ended in order, one other goes on with'), async () => {
  const [one, two, three] = await join3()
  await founded(one)
  await server.query(
    `INSERT INTO followed (effect_id, session_id, operation, region, input, since_ms, gateway)
     VALUES ('e-1', 's-1', 'x:Delete', 'eu-west-1', '{}', 1, '${one.ledger.membership.id}')`,
    db(),
  )
  expect(await two.ledger.membership.inherit()).toBe(false)
  await one.ledger.close()
  const heirs = () => server.query('SELECT gateway FROM followed', db())
  await expect.poll(heirs, { timeout: 20_000 }).not.toEqual([{ gateway: one.ledger.membership.id }])
  const [heir] = await heirs()
  const living = [two, three].map(({ ledger }) => ledger.membership.id)
  expect(living).toContain(heir?.['gateway'])
})

onServer(
  name('M10: an entry that waited for its place says no time long before what is there'),
  async () => {
    const [one] = await join3()
    await founded(one)
    const at = (ms: number) => new Date(1_800_000_000_000 + ms).toISOString()
    await one.ledger.append(bytes({ at: at(60_000), n: 1 }))
    await one.ledger.append(bytes({ at: at(57_000), n: 2 }))
    await one.ledger.append(bytes({ at: at(0), n: 3 }))
    await expect.poll(() => one.ledger.checkpoint().size, { timeout: 20_000 }).toBe(4)
    expect((await verified(4)).slice(1)).toEqual([
      { at: at(60_000), n: 1 },
      { at: at(57_000), n: 2 },
      { at: at(56_000), n: 3 },
    ])
  },
)

onServer(
  name('M10: what a dead gateway had begun ends no time long before what is there'),
  async () => {
    const [one, two] = await join3()
    await founded(one)
    const aheadMs = Date.now() + 3_600_000
    await effect(one.ledger.membership.id, 'e-1', 'open')
    await one.ledger.append(bytes({ type: 'intent', effect: 'e-1' }))
    // The database's clock was an hour ahead of what it is now.
    await one.ledger.append(bytes({ at: new Date(aheadMs).toISOString() }))
    await server.query(
      `UPDATE gateways SET expires_at_ms = 0 WHERE id = '${one.ledger.membership.id}'`,
      db(),
    )
    await two.ledger.membership.bury()
    await expect.poll(() => two.ledger.checkpoint().size, { timeout: 20_000 }).toBe(4)
    const [last] = (await verified(4)).slice(3) as { type: string; at: string }[]
    expect([last?.type, last?.at]).toEqual(['outcome', new Date(aheadMs - 4_000).toISOString()])
    // Every gateway knows it by its looks, and how long time stands for that.
    await two.ledger.catchUp()
    expect(two.ledger.clock.nowMs()).toBe(aheadMs)
    expect(two.ledger.clock.behindMs()).toBeGreaterThan(3_000_000)
  },
)

onServer(name('an entry that a listener could not take is told again, in its place'), async () => {
  const heard: number[] = []
  let failing = 2
  const listening = await joined(directory, ({ index }) => {
    if (index === 3 && failing-- > 0) throw new Error('not now')
    heard.push(index)
  })
  await founded(listening)
  await Promise.all(range(1, 6).map((n) => listening.ledger.append(bytes({ n }))))
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(5)
  expect(heard.slice(-5)).toEqual([1, 2, 3, 4, 5])
  expect(listening.trouble).toContain('not now')
})

onServer(name('a gateway with another directory or another key does not start'), async () => {
  const one = await joined()
  await founded(one)
  await expect.poll(() => one.ledger.checkpoint().size, { timeout: 20_000 }).toBe(1)
  const elsewhere = mkdtempSync(join(tmpdir(), 'seconder-cluster-'))
  await expect(joined(elsewhere)).rejects.toMatchObject({ code: 'ledger_corrupt' })
  rmSync(elsewhere, { recursive: true, force: true })
  const database = new PostgresDatabase(parsePostgresUrl(url))
  const { privateKey: other } = generateKeyPairSync('ed25519')
  const silent = { heard: () => undefined, stopped: () => undefined, trouble: () => undefined }
  const foreign = { database, directory, origin, signer: other, place: 'test', ...silent }
  await expect(SharedLedger.open(foreign)).rejects.toMatchObject({ code: 'note_unverified' })
  await database.close()
})

onServer(
  name('a lock is held by one gateway at a time, and by a dead one not for long'),
  async () => {
    const [one, two] = await join3()
    const mutexes = [new DatabaseMutexes(one.database), new DatabaseMutexes(two.database)]
    let inside = 0
    let most = 0
    const work = async () => {
      inside += 1
      most = Math.max(most, inside)
      await one.database.one('SELECT 1 AS one')
      inside -= 1
      return 'done'
    }
    const done = await Promise.all(
      range(0, 20).map((n) => (mutexes[n % 2] as DatabaseMutexes).run('request r-1', work)),
    )
    expect(done).toEqual(range(0, 20).map(() => 'done'))
    expect(most).toBe(1)
    const failing = mutexes[0]?.run('request r-1', () => Promise.reject(new Error('own')))
    await expect(failing).rejects.toThrow('own')
    // As one leaves it that was killed.
    await server.query(
      `INSERT INTO locks VALUES ('request r-2', 'dead', ${Date.now() + 1_000})`,
      db(),
    )
    expect(await mutexes[1]?.run('request r-2', work)).toBe('done')
  },
)

onServer(
  name('the database going down and up again loses nothing that was acknowledged'),
  async () => {
    const all = await join3()
    await founded(all[0])
    const results: Promise<number | null>[] = []
    const append = (count: number) => {
      for (const n of range(0, count)) {
        const appended = (all[n % 3] as Member).ledger.append(bytes({ n }))
        results.push(
          appended.then(
            ({ index }) => index,
            () => null,
          ),
        )
      }
    }
    append(100)
    await server.down('SIGQUIT')
    append(100)
    await server.up()
    append(100)
    const indexes = (await Promise.all(results)).filter((index) => index !== null)
    expect(new Set(indexes).size).toBe(indexes.length)
    await all[0].ledger.append(bytes({ last: true }))
    await all[0].ledger.catchUp()
    const { size } = all[0].ledger
    await expect.poll(() => all[1].ledger.checkpoint().size, { timeout: 30_000 }).toBe(size)
    await verified(size)
    expect(Math.max(...indexes)).toBeLessThan(size)
  },
)
