// The driver on a real server: what is done again, what is not done, and what nobody can know.
import { once } from 'node:events'
import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { numbered } from './placeholders.ts'
import { PostgresDatabase } from './postgres.ts'
import { parsePostgresUrl } from './postgres-address.ts'
import { migratePostgres, statementsOf } from './postgres-schema.ts'
import { noPostgres, PostgresServer } from './postgres-server.fixture.ts'
import { MIGRATIONS } from './schema.ts'

const absent = await noPostgres()
const name = (words: string) => (absent === null ? words : `${words} (skipped: ${absent})`)
const onServer = absent === null ? test : test.skip

let server: PostgresServer
let url: string
let database: PostgresDatabase

beforeAll(async () => {
  if (absent !== null) return
  server = await PostgresServer.start()
  url = await server.database('driver')
  database = open(url)
  await database.define(
    'CREATE TABLE things (id TEXT PRIMARY KEY, count BIGINT NOT NULL, words TEXT)',
  )
})

afterAll(async () => {
  await database?.close()
  await server?.remove()
})

const open = (at: string) => new PostgresDatabase(parsePostgresUrl(at))
const countOf = async (id: string) =>
  (await database.one('SELECT count FROM things WHERE id = ?', id))?.['count']
const thing = (id: string) =>
  database.run('INSERT INTO things (id, count, words) VALUES (?, ?, ?)', id, 0, null)

test('a question mark is a placeholder except inside quotes', () => {
  expect(numbered(`SELECT '?''?', "a?b" FROM t WHERE a = ? AND b IN (?, ?)`)).toBe(
    `SELECT '?''?', "a?b" FROM t WHERE a = $1 AND b IN ($2, $3)`,
  )
})

onServer(name('values come back as they went'), async () => {
  const words = `'; DROP TABLE things; -- ? $1 \u{1f512}`
  await database.run('INSERT INTO things VALUES (?, ?, ?)', 'a', Number.MAX_SAFE_INTEGER, words)
  expect(await database.one('SELECT * FROM things WHERE id = ?', 'a')).toEqual({
    id: 'a',
    count: Number.MAX_SAFE_INTEGER,
    words,
  })
  expect(
    await database.one('SELECT sum(count) AS sum, count = ? AS yes FROM things GROUP BY count', 1),
  ).toEqual({ sum: Number.MAX_SAFE_INTEGER, yes: 0 })
  expect(await database.one('SELECT * FROM things WHERE id = ?', 'b')).toBeUndefined()
})

onServer(name('a number past 2^53 is an error, never a near one'), async () => {
  const asked = database.one('SELECT CAST(9007199254740993 AS BIGINT) AS count')
  await expect(asked).rejects.toMatchObject({ code: 'state_error' })
})

onServer(name('false rolls back, and so does an error, which is thrown on'), async () => {
  await thing('rolled')
  const add = 'UPDATE things SET count = count + 1 WHERE id = ?'
  const refused = await database.transaction(async (sql) => {
    expect(await sql.run(add, 'rolled')).toBe(1)
    return false
  })
  expect(refused).toBe(false)
  const own = new Error('of the work')
  const failed = database.transaction(async (sql) => {
    await sql.run(add, 'rolled')
    throw own
  })
  await expect(failed).rejects.toBe(own)
  expect(await countOf('rolled')).toBe(0)
})

onServer(name('an error of a statement that the work hides still undoes all of it'), async () => {
  await thing('hidden')
  const hidden = database.transaction(async (sql) => {
    await sql.run('UPDATE things SET count = 7 WHERE id = ?', 'hidden')
    await sql.run('SELECT no_such_thing').catch(() => undefined)
    return true
  })
  await expect(hidden).rejects.toMatchObject({ code: 'state_error' })
  expect(await countOf('hidden')).toBe(0)
})

onServer(name('racing transactions are done again until each counted once'), async () => {
  await thing('raced')
  const other = open(url)
  const added = Array.from({ length: 60 }, (_, index) =>
    (index % 2 === 0 ? database : other).transaction(async (sql) => {
      const row = await sql.one('SELECT count FROM things WHERE id = ?', 'raced')
      await sql.run('UPDATE things SET count = ? WHERE id = ?', Number(row?.['count']) + 1, 'raced')
      return true
    }),
  )
  await Promise.allSettled(added)
  const done = (await Promise.allSettled(added)).filter(({ status }) => status === 'fulfilled')
  // What was given up was not done.
  expect(await countOf('raced')).toBe(done.length)
  expect(done.length).toBeGreaterThan(0)
  await other.close()
})

onServer(name('of racing conditional changes one wins'), async () => {
  await thing('once')
  const take = () => database.run('UPDATE things SET count = 1 WHERE id = ? AND count = 0', 'once')
  const taken = await Promise.all(Array.from({ length: 50 }, take))
  expect(taken.reduce((sum, changed) => sum + changed)).toBe(1)
})

onServer(name('two that saw the same and wrote elsewhere do not both pass'), async () => {
  await Promise.all([thing('skew-a'), thing('skew-b')])
  // At most one of the two may be taken, and each looks at both: what snapshots alone let through.
  const take = (id: string) =>
    database.transaction(async (sql) => {
      const row = await sql.one(`SELECT sum(count) AS taken FROM things WHERE id LIKE 'skew-%'`)
      if (row?.['taken'] !== 0) return false
      return (await sql.run('UPDATE things SET count = 1 WHERE id = ?', id)) === 1
    })
  const results = await Promise.all([take('skew-a'), take('skew-b')])
  expect(results.filter((taken) => taken !== false)).toHaveLength(1)
})

onServer(
  name('a connection that is cut is made anew, and what was not committed is done again'),
  async () => {
    await thing('cut')
    let attempts = 0
    const done = await database.transaction(async (sql) => {
      attempts += 1
      await sql.run('UPDATE things SET count = count + 1 WHERE id = ?', 'cut')
      if (attempts === 1) {
        const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = 'driver' AND state = 'idle in transaction'`
        await server.query(cut)
      }
      return true
    })
    expect(done).toBe(true)
    expect(attempts).toBe(2)
    expect(await countOf('cut')).toBe(1)
  },
)

onServer(
  name('a connection lost during COMMIT is unknown, whether it was done or not'),
  async () => {
    await thing('unknown')
    const proxy = await CuttingProxy.before(url)
    const through = open(proxy.url)
    const add = () =>
      through.transaction(async (sql) => {
        await sql.run('UPDATE things SET count = count + 1 WHERE id = ?', 'unknown')
        return true
      })
    expect(await add()).toBe(true)
    proxy.onCommit = 'keep'
    await expect(add()).rejects.toMatchObject({ code: 'state_unknown' })
    await expect.poll(() => countOf('unknown')).toBe(1)
    proxy.onCommit = 'answerless'
    await expect(add()).rejects.toMatchObject({ code: 'state_unknown' })
    await expect.poll(() => countOf('unknown')).toBe(2)
    // So is a change that was sent by itself.
    const alone = through.run(
      'UPDATE things SET count = count + 1 WHERE id = ? /* COMMIT */',
      'unknown',
    )
    await expect(alone).rejects.toMatchObject({ code: 'state_unknown' })
    await expect.poll(() => countOf('unknown')).toBe(3)
    await through.close()
    await proxy.close()
  },
)

onServer(name('errors hold no password and no value of a row'), async () => {
  const secret = 'hunter2-hunter2'
  const nowhere = open(url.replace('seconder@', `nobody-here:${secret}@`))
  const refused = await nowhere.one('SELECT 1 AS one').catch((cause: unknown) => cause)
  expect(refused).toMatchObject({ code: 'state_error' })
  expect(shownOf(refused)).not.toContain(secret)
  await nowhere.close()
  await database.run('INSERT INTO things VALUES (?, 1, NULL)', secret)
  const twice = database.run('INSERT INTO things VALUES (?, 1, NULL)', secret)
  const failed = await twice.catch((cause: unknown) => cause)
  expect(failed).toMatchObject({ code: 'state_error' })
  expect(shownOf(failed)).not.toContain(secret)
  const wrong = () => parsePostgresUrl(`postgres://me:${secret}@host:badport/x`)
  expect(wrong).toThrow(expect.objectContaining({ code: 'invalid_config' }))
  expect(wrong).not.toThrow(secret)
})

function shownOf(error: unknown): string {
  const { message, stack, cause } = error as Error
  return [message, stack, JSON.stringify(error), cause && shownOf(cause)].join(' ')
}

onServer(name('gates that migrate at once all find the same tables'), async () => {
  const at = await server.database('migrated')
  const gates = [open(at), open(at), open(at)]
  const lists = [{ name: 'state', texts: MIGRATIONS }]
  await Promise.all(gates.map((gate) => migratePostgres(gate, lists)))
  const [first] = gates as [PostgresDatabase]
  const statements = MIGRATIONS.flatMap((text) => statementsOf(text, ''))
  expect(await first.all('SELECT * FROM migrations')).toEqual([
    { name: 'state', done: statements.length },
  ])
  const older = [{ name: 'state', texts: MIGRATIONS.slice(0, -1) }]
  await expect(migratePostgres(first, older)).rejects.toMatchObject({ code: 'state_error' })
  for (const gate of gates) await gate.close()
})

onServer(name('a migration that died at any statement is gone on with'), async () => {
  const statements = MIGRATIONS.join(';').split(';')
  const at = await server.database('halfway')
  const gate = open(at)
  for (let done = 0; done < statements.length; done += 9) {
    await migratePostgres(gate, [{ name: 'state', texts: [statements.slice(0, done).join(';')] }])
    // It died after the statement and before it was written down.
    for (const statement of statementsOf(statements[done] as string, ''))
      await gate.define(statement)
  }
  await migratePostgres(gate, [{ name: 'state', texts: MIGRATIONS }])
  const whole = MIGRATIONS.flatMap((text) => statementsOf(text, ''))
  expect(await gate.one('SELECT done FROM migrations')).toEqual({ done: whole.length })
  await gate.close()
})

test('TLS is verified unless the server is on this host or the URL says otherwise', () => {
  const tls = (tail: string) => parsePostgresUrl(`postgres://me@${tail}`).tls
  expect(tls('db.example/x')).toMatchObject({ rejectUnauthorized: true, servername: 'db.example' })
  expect(tls('db.example/x?sslmode=require')).toMatchObject({ rejectUnauthorized: true })
  expect(tls('db.example/x?sslmode=disable')).toBe(false)
  expect(tls('127.0.0.1/x')).toBe(false)
  expect(tls('127.0.0.1/x?sslmode=verify-full')).toMatchObject({ rejectUnauthorized: true })
  for (const wrong of [
    'db.example/x?sslmode=prefer',
    'db.example/x?sslmode=verify-ca',
    'db.example/x?sslMode=disable',
    'db.example/x?sslmode=disable&sslmode=verify-full',
    'db.example/x?options=-csynchronous_commit%3Doff',
    'db.example/x?connections=0',
    'db.example/x?connections=101',
    'db.example/',
  ]) {
    expect(() => tls(wrong), wrong).toThrow(expect.objectContaining({ code: 'invalid_config' }))
  }
})

/** Stands between the driver and the server, and cuts a connection in the middle of a COMMIT. */
class CuttingProxy {
  readonly #listener: net.Server
  readonly url: string
  /** `keep`: the COMMIT never reaches the server. `answerless`: it does, and its answer reaches nobody. */
  onCommit: 'pass' | 'keep' | 'answerless' = 'pass'

  private constructor(listener: net.Server, proxied: string) {
    this.#listener = listener
    this.url = proxied
  }

  static async before(at: string): Promise<CuttingProxy> {
    const { host, user, database: db } = parsePostgresUrl(at)
    const listener = net.createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as net.AddressInfo
    const proxy = new CuttingProxy(listener, `postgres://${user}@127.0.0.1:${port}/${db}`)
    listener.on('connection', (client) => proxy.#join(client, `${host}/.s.PGSQL.5432`))
    return proxy
  }

  #join(client: net.Socket, path: string): void {
    const upstream = net.connect(path)
    let isCut = false
    client.on('data', (chunk) => {
      if (this.onCommit !== 'pass' && chunk.includes('COMMIT')) {
        isCut = true
        if (this.onCommit === 'keep') upstream.destroy()
        else upstream.write(chunk)
        if (this.onCommit === 'keep') client.destroy()
        return
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => (isCut ? client.destroy() : client.write(chunk)))
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
    }
  }

  async close(): Promise<void> {
    this.#listener.close()
    await once(this.#listener, 'close')
  }
}
