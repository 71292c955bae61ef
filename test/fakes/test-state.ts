// Where the gates of a test keep their state: in a file of their own, or, with SECONDER_TEST_STATE=postgres, each in
// a new database of one real server, which this process starts with the first and removes at its end.

import { setTimeout as pause } from 'node:timers/promises'
import { noPostgres, PostgresServer } from '@seconder/gateway/state/postgres-server.fixture'
import { afterAll } from 'vitest'

let server: Promise<PostgresServer> | null = null
let count = 0

export function onPostgres(): boolean {
  return process.env['SECONDER_TEST_STATE'] === 'postgres'
}

/** Why the tests cannot run on PostgreSQL here, or null. */
export const withoutPostgres = noPostgres

/** The URL of a new database; null where the state is a file. */
export async function newState(): Promise<string | null> {
  if (!onPostgres()) return null
  // What is durable there is tested beside the driver; here it would only take time.
  server ??= PostgresServer.start('fsync=off')
  count++
  return `${await (await server).database(`gate_${count}`)}&connections=4`
}

/** Resolves when all that is recorded in the database of this URL is in the files of the ledger. */
export async function published(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1)
  const behind = `SELECT 1 FROM ledger_head, ledger_publication WHERE published < size`
  while (((await (await server)?.query(behind, name)) ?? []).length > 0) await pause(20)
}

afterAll(async () => {
  const started = server
  server = null
  await (await started)?.remove()
})
