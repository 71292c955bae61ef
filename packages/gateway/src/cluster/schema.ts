// The tables that several gateways need beside the state's: the order of the ledger, who publishes it, who
// lives, and who does one thing at a time. Forward-only migrations, as `state/schema.ts`.

export const CLUSTER_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE ledger_head (
    id INTEGER PRIMARY KEY, size INTEGER NOT NULL, at_ms INTEGER NOT NULL
  );
  CREATE TABLE ledger_entries (idx INTEGER PRIMARY KEY, entry TEXT NOT NULL);
  CREATE TABLE ledger_batches (
    id TEXT PRIMARY KEY, first_idx INTEGER NOT NULL, at_ms INTEGER NOT NULL
  );
  CREATE INDEX ledger_batches_by_time ON ledger_batches (at_ms);
  CREATE TABLE ledger_publication (
    id INTEGER PRIMARY KEY, published INTEGER NOT NULL, note TEXT NOT NULL, owner TEXT NOT NULL,
    token INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
  );
  CREATE TABLE gateways (
    id TEXT PRIMARY KEY, place TEXT NOT NULL, started_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
  );
  CREATE TABLE locks (name TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at_ms INTEGER NOT NULL);
  `,
]

/**
 * The database's own time in milliseconds: all that must agree on when something runs out asks the one clock.
 * Not that of the transaction's begin, which a wait for a lock leaves behind.
 */
export const DATABASE_NOW = 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)'
