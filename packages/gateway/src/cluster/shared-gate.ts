// What one of several gateways hears of the others, and what it does for those that died.
import { GatewayError } from '../errors.ts'
import { endedByPeople } from '../record/ended-by.ts'
import type { PostgresDatabase } from '../state/postgres.ts'
import type { Store } from '../state/store.ts'
import { SKEW_MS_MAX } from './database-clock.ts'
import { DatabaseMutexes } from './database-mutexes.ts'
import { type Ended, LIFE_MS } from './membership.ts'
import type { SharedLedger } from './shared-ledger.ts'

/** How long a gateway waits before it tries again to be the one that does what one of them does. */
const TURN_MS = 2_000

export class SharedGate {
  readonly #ledger: SharedLedger
  readonly #mutexes: DatabaseMutexes
  #stopped: string | null = null
  readonly #end = Promise.withResolvers<string>()
  readonly #closing = new AbortController()

  constructor(ledger: SharedLedger, database: PostgresDatabase) {
    this.#ledger = ledger
    this.#mutexes = new DatabaseMutexes(database)
  }

  get mutexes(): DatabaseMutexes {
    return this.#mutexes
  }

  /** Whether this gateway makes the files of the ledger now. */
  get isPublisher(): boolean {
    return this.#ledger.isPublisher
  }

  /** This gateway was declared dead: what it would do counts no more. */
  stop(words: string): void {
    this.#stopped ??= words
    this.#end.resolve(words)
  }

  /** Resolves, with the words for people, where this gateway was declared dead. */
  get stopped(): Promise<string> {
    return this.#end.promise
  }

  /** Throws where this gateway may do nothing: it was declared dead, or may have been, or its clock is off. */
  requireMember(): void {
    if (this.#stopped !== null) {
      throw new GatewayError('gate_refusing', this.#stopped, 'start this gateway again')
    }
    const { silentMs } = this.#ledger.membership
    if (silentMs >= LIFE_MS) {
      const message = `this gateway has not reached the state database for ${Math.floor(silentMs / 1_000)} s, so the others may have declared it dead`
      throw new GatewayError('gate_refusing', message, 'look at the database; nothing was done')
    }
    const { skewMs } = this.#ledger.clock
    if (Math.abs(skewMs) <= SKEW_MS_MAX) return
    const seconds = Math.round(skewMs / 1_000)
    const message = `the clock of this gateway is ${seconds} s off that of the state database`
    throw new GatewayError('gate_refusing', message, 'set the clock; it is looked at all the time')
  }

  /** Hears of each gateway that died, once this one has ended what that had begun. */
  onEnded(listener: (ended: Ended) => void): void {
    this.#ledger.onEnded(listener)
  }

  /**
   * Does `work` in one gateway at a time: begins it once none of the others does, and goes on until `stop`, or until
   * another one has taken over.
   * `work` begins something and returns what ends it.
   */
  inTurn(name: string, work: () => () => Promise<void>): () => Promise<void> {
    const { signal } = this.#closing
    const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    const turns = (async () => {
      while (!signal.aborted) {
        const turn = this.#mutexes.tryRun(`turn ${name}`, async (lost) => {
          const end = work()
          await Promise.race([ended, lost])
          await end()
        })
        const isMine = await turn.catch(() => false)
        if (!isMine && !signal.aborted) await pauseUnless(ended)
      }
    })()
    return async () => {
      this.#closing.abort()
      await turns
    }
  }
}

function pauseUnless(ended: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TURN_MS)
    void ended.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/**
 * Makes the state follow each change of people that the ledger has: whoever recorded it may have died before it
 * did. The change counts from its entry on.
 */
export async function followPeople(ledger: SharedLedger, store: Store): Promise<void> {
  await ledger.catchUp()
  const { size } = ledger
  for (let index = await store.peopleFollowedTo(); index < size; index++) {
    const entry = JSON.parse(new TextDecoder().decode(await ledger.read(index)))
    if (entry.type !== 'people-changed') continue
    const atMs = Date.parse(entry.at)
    await store.applyPeopleChange(entry.change, atMs, index, endedByPeople(atMs))
  }
  await store.setPeopleFollowedTo(size)
}
