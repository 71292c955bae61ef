// What a gateway has for itself for a while, and the fence around what it does with it: work that was taken for
// dead and given to another gateway changes nothing any more, however late it wakes. Each change of the state and
// each entry of the ledger that is made within a lease looks, in its own transaction, whether the lease is still its.
import { AsyncLocalStorage } from 'node:async_hooks'
import { GatewayError } from '../errors.ts'
import type { Sql } from '../state/sql.ts'

export interface Lease {
  readonly name: string
  readonly owner: string
  /** The work is done: what it left behind, a timer or a message on its way, has no lease to lose. */
  isOver: boolean
}

const held = new AsyncLocalStorage<readonly Lease[]>()

/** Does `work` within this lease, and those that it is begun in. */
export async function within<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
  try {
    return await held.run([...leasesHeld(), lease], work)
  } finally {
    lease.isOver = true
  }
}

/** For what is done for many at once, whoever came first. */
export function without<T>(work: () => T): T {
  return held.exit(work)
}

/** Those that this code runs within. */
export function leasesHeld(): readonly Lease[] {
  return (held.getStore() ?? []).filter(({ isOver }) => !isOver)
}

/**
 * Those of these that another gateway has. The others cannot be taken before the end of this transaction: whoever
 * takes one changes the row that is locked here.
 */
export async function lostOf(sql: Sql, leases: Iterable<Lease>): Promise<Set<Lease>> {
  const lost = new Set<Lease>()
  for (const lease of new Set(leases)) {
    const { name, owner } = lease
    const mine = 'SELECT 1 AS yes FROM locks WHERE name = ? AND owner = ? FOR UPDATE'
    if (!(await sql.one(mine, name, owner))) lost.add(lease)
  }
  return lost
}

/** What a transaction begun here does first; null outside of every lease. */
export function fence(): ((sql: Sql) => Promise<void>) | null {
  const leases = leasesHeld()
  if (leases.length === 0) return null
  return async (sql) => {
    for (const lease of await lostOf(sql, leases)) throw leaseLost(lease)
  }
}

export function leaseLost({ name }: Lease): GatewayError {
  const message = `this gateway was too slow, and another one has taken over \`${name}\``
  return new GatewayError('state_error', message, 'nothing was done; try again')
}
