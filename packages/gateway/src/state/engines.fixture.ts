// The engines that the Store runs on, for tests that hold on each: SQLite in a folder, and PostgreSQL on a real
// server, where the machine has one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresDatabase } from './postgres.ts'
import { parsePostgresUrl } from './postgres-address.ts'
import { migratePostgres } from './postgres-schema.ts'
import { noPostgres, PostgresServer } from './postgres-server.fixture.ts'
import { MIGRATIONS } from './schema.ts'
import type { Database } from './sql.ts'
import { openSqlite } from './sqlite.ts'

export interface Engine {
  readonly name: string
  /** Why nothing runs on it here, or null. */
  readonly absent: string | null
  /** A place for a new database, which any number of connections open. */
  place(): Promise<string>
  /** Opens the database there, migrated. */
  open(place: string): Promise<Database>
  /** The same, with only the first `texts` of the migrations. */
  openOlder(place: string, texts: number): Promise<Database>
  /** Lets go of every place. */
  end(): Promise<void>
}

export async function engines(): Promise<readonly Engine[]> {
  return [sqlite(), await postgres()]
}

function sqlite(): Engine {
  const folders: string[] = []
  return {
    name: 'SQLite',
    absent: null,
    async place() {
      const folder = mkdtempSync(join(tmpdir(), 'seconder-state-'))
      folders.push(folder)
      return join(folder, 'state.db')
    },
    open: async (place) => openSqlite(place),
    openOlder: async (place, texts) => openSqlite(place, MIGRATIONS.slice(0, texts)),
    async end() {
      for (const folder of folders) rmSync(folder, { recursive: true })
    },
  }
}

async function postgres(): Promise<Engine> {
  let server: Promise<PostgresServer> | null = null
  let count = 0
  const openOlder = async (place: string, texts: number) => {
    const database = new PostgresDatabase(parsePostgresUrl(`${place}&connections=4`))
    try {
      await migratePostgres(database, [{ name: 'state', texts: MIGRATIONS.slice(0, texts) }])
    } catch (cause) {
      await database.close()
      throw cause
    }
    return database
  }
  return {
    name: 'PostgreSQL',
    absent: await noPostgres(),
    async place() {
      // What is durable is tested elsewhere; here it would only take time.
      server ??= PostgresServer.start('fsync=off')
      count++
      return (await server).database(`state_${count}`)
    },
    open: (place) => openOlder(place, MIGRATIONS.length),
    openOlder,
    end: async () => (await server)?.remove(),
  }
}
