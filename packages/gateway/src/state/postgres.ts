// The port of the state on PostgreSQL: SERIALIZABLE changes that are done again when the server says so,
// and an end that was not heard is `state_unknown`, never "not done".
import pg from 'pg'
import { numbered } from './placeholders.ts'
import type { PostgresAddress } from './postgres-address.ts'
import { isAbsent, type Moment, notDone, notKnown, verdictOf } from './postgres-failure.ts'
import type { Database, Row, Sql, SqlValue } from './sql.ts'

/** Times a change is done again, and for how long, before it is given up as not done. */
const ATTEMPTS_MAX = 30
const ATTEMPTS_MS_MAX = 10_000
/** Pauses between attempts: the first ones, the longest, and where the server is not there. */
const PAUSE_MS = { first: 2, most: 250, absent: 200 }
const STATEMENT_MS_MAX = 10_000
/** After which a frozen gate's transaction ends, and holds up nobody. */
const IDLE_IN_TRANSACTION_MS_MAX = 10_000
const CONNECT_MS_MAX = 5_000
const IDLE_MS_MAX = 30_000

/** Isolation of one transaction. `locking`: READ COMMITTED, for work that waits at one row's lock. */
export type Isolation = 'serializable' | 'locking'

/** What a change does first, in its own transaction; an error of it undoes the change. */
type Fence = (sql: Sql) => Promise<void>

/** A failure of one statement, on its way to whoever decides what it means. */
class Failure extends Error {
  readonly moment: Moment

  constructor(cause: unknown, moment: Moment) {
    super('a statement failed', { cause })
    this.moment = moment
  }
}

export class PostgresDatabase implements Database {
  readonly engine = 'postgres'
  readonly shown: string
  readonly #reads: pg.Pool
  readonly #changes: pg.Pool
  #fence: () => Fence | null = () => null
  #closed: Promise<void> | null = null

  constructor(address: PostgresAddress) {
    this.shown = address.shown
    this.#reads = poolOf(address, 'read committed')
    this.#changes = poolOf(address, 'serializable')
  }

  /** `fence` is asked at the beginning of each change, where it is begun, and says what that change does first. */
  fencedBy(fence: () => Fence | null): void {
    this.#fence = fence
  }

  async one(sql: string, ...values: SqlValue[]): Promise<Row | undefined> {
    return (await this.#single(sql, values)).rows[0]
  }

  async all(sql: string, ...values: SqlValue[]): Promise<Row[]> {
    return (await this.#single(sql, values)).rows
  }

  async run(sql: string, ...values: SqlValue[]): Promise<number> {
    return (await this.#single(sql, values)).rowCount ?? 0
  }

  /** A read sees one moment by itself; only changes need to be put in order with others. */
  #single(sql: string, values: readonly SqlValue[]): Promise<pg.QueryResult<Row>> {
    const isRead = /^\s*SELECT\b/i.test(sql)
    if (!isRead && this.#fence()) {
      return this.#changed('serializable', (client) => query(client, sql, values, 'working'))
    }
    const pool = isRead ? this.#reads : this.#changes
    return this.#again(() =>
      withClient(pool, (client) => query(client, sql, values, isRead ? 'reading' : 'changing')),
    )
  }

  transaction<T>(work: (sql: Sql) => Promise<T | false>): Promise<T | false> {
    return this.within('serializable', work)
  }

  /** `transaction`, at an isolation of its own. */
  within<T>(isolation: Isolation, work: (sql: Sql) => Promise<T | false>): Promise<T | false> {
    return this.#changed(isolation, (client) => work(sqlOf(client)))
  }

  #changed<T>(isolation: Isolation, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const level = isolation === 'serializable' ? 'SERIALIZABLE' : 'READ COMMITTED'
    const fence = this.#fence()
    return this.#again(() =>
      withClient(this.#changes, async (client) => {
        await sent(client.query(`BEGIN ISOLATION LEVEL ${level}`), 'working')
        let result: T
        try {
          await fence?.(sqlOf(client))
          result = await work(client)
        } catch (cause) {
          await rolledBack(client)
          throw cause
        }
        if (result === false) await rolledBack(client)
        else await committed(client)
        return result
      }),
    )
  }

  /** One statement as it is, outside of every transaction: for DDL. */
  async define(sql: string): Promise<void> {
    await this.#again(() =>
      withClient(this.#changes, (client) => sent(client.query(sql), 'working')),
    )
  }

  async #again<T>(attempt: () => Promise<T>): Promise<T> {
    const startedMs = performance.now()
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt()
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure
        const { cause, moment } = failure
        const verdict = this.#closed !== null ? 'no' : verdictOf(cause, moment)
        if (verdict === 'unknown') throw notKnown(cause, this.shown)
        const isSpent = performance.now() - startedMs > ATTEMPTS_MS_MAX
        if (verdict === 'no' || isSpent || attempts >= ATTEMPTS_MAX) {
          throw notDone(cause, this.shown)
        }
        await pause(isAbsent(cause) ? PAUSE_MS.absent : PAUSE_MS.first * 2 ** attempts)
      }
    }
  }

  /** Null: others commit all the time, so nothing that was read is remembered. */
  version(): null {
    return null
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all([this.#reads.end(), this.#changes.end()]).then(() => undefined)
    return this.#closed
  }
}

function poolOf(address: PostgresAddress, isolation: string): pg.Pool {
  const { host, port, database, user, password, tls, connectionsMax } = address
  const pool = new pg.Pool({
    ...{ host, port, database, user, ssl: tls },
    ...(password !== null && { password: password.reveal() }),
    max: connectionsMax,
    application_name: 'seconder',
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    // A server that is cut off answers nothing, not even that it took too long.
    query_timeout: 2 * STATEMENT_MS_MAX,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
    // What the server's own configuration says may be less than durable, or another isolation.
    options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')} -c synchronous_commit=on`,
  })
  // A connection that breaks while nobody uses it is made anew; one in use tells whoever waits for it.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => lost.add(client)))
  return pool
}

/** Connections known to be lost: over these nothing is sent any more. */
const lost = new WeakSet<object>()

async function withClient<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await sent(pool.connect(), 'connecting')
  try {
    const result = await work(client)
    client.release()
    return result
  } catch (cause) {
    client.release(cause instanceof Failure && !isUsable(cause))
    throw cause
  }
}

/** Whether the server answered, and goes on: then the connection does too. */
function isUsable({ cause }: Failure): boolean {
  return (cause as { severity?: unknown }).severity === 'ERROR'
}

function sqlOf(client: pg.PoolClient): Sql {
  const run = (sql: string, values: readonly SqlValue[]) => query(client, sql, values, 'working')
  return {
    one: async (sql, ...values) => (await run(sql, values)).rows[0],
    all: async (sql, ...values) => (await run(sql, values)).rows,
    run: async (sql, ...values) => (await run(sql, values)).rowCount ?? 0,
  }
}

/** Names of prepared statements: one text has one name on every connection. */
const names = new Map<string, string>()
const NAMES_MAX = 2_048

async function query(
  client: pg.PoolClient,
  sql: string,
  values: readonly SqlValue[],
  moment: Moment,
): Promise<pg.QueryResult<Row>> {
  requireConnected(client)
  const text = numbered(sql)
  let name = names.get(text)
  if (name === undefined && names.size < NAMES_MAX) {
    name = `s${names.size}`
    names.set(text, name)
  }
  const asked = { text, values: [...values], ...(name !== undefined && { name }) }
  return sent(client.query<Row>(asked), moment)
}

/** Nothing is unknown of what was never sent. */
function requireConnected(client: pg.PoolClient): void {
  if (lost.has(client)) throw new Failure(new Error('the connection was lost'), 'working')
}

async function sent<T>(answer: Promise<T>, moment: Moment): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    throw new Failure(cause, moment)
  }
}

async function committed(client: pg.PoolClient): Promise<void> {
  requireConnected(client)
  const { command } = await sent(client.query('COMMIT'), 'committing')
  // What the server answers to COMMIT where a statement before it had failed and nobody said so.
  if (command !== 'COMMIT') throw new Failure({ code: '25P02', severity: 'ERROR' }, 'committing')
}

async function rolledBack(client: pg.PoolClient): Promise<void> {
  await sent(client.query('ROLLBACK'), 'working')
}

function pause(mostMs: number): Promise<void> {
  const ms = Math.min(mostMs, PAUSE_MS.most) * Math.random()
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const OIDS = { bool: 16, int8: 20, numeric: 1700 }

/** Numbers are numbers, and truth is 1 or 0, as SQLite has it. A number that is not exact is an error. */
function parserOf(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === OIDS.bool) return (text) => (text === 't' ? 1 : 0)
  if (oid !== OIDS.int8 && oid !== OIDS.numeric) {
    return pg.types.getTypeParser(oid, format as 'text')
  }
  return (text) => {
    const value = Number(text)
    if (Number.isSafeInteger(value)) return value
    throw new RangeError('a number of the state is past 2^53')
  }
}
