// Opens the gate's state where the configuration says it is.
import { SqlStore } from './sql-store.ts'
import { openSqlite } from './sqlite.ts'
import type { Store } from './store.ts'

/** The Store in a file; errors as `openSqlite`. */
export function openSqliteStore(path: string): Store {
  return new SqlStore(openSqlite(path))
}
