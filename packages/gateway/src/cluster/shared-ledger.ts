// The Ledger of several gateways: entries get their place in the database, one gateway at a time makes the
// files of it, and every gateway hears of every entry.
import type { KeyObject } from 'node:crypto'
import { LedgerError } from '@seconder/ledger/errors'
import type { Ledger } from '@seconder/ledger/ledger'
import { SharedLog } from '@seconder/ledger/shared-log'
import type { S3Objects } from '../lib/s3-objects.ts'
import type { PostgresDatabase } from '../state/postgres.ts'
import { DatabaseClock } from './database-clock.ts'
import { type Ended, followEffects, Membership, RENEW_MS } from './membership.ts'
import { Order } from './order.ts'
import { Publishing } from './publishing.ts'
import { S3_DIRECTORY, s3Files } from './s3-files.ts'
import { type Heard, Tail } from './tail.ts'

/** How often it is looked for entries of others, and for what there is to publish. */
const TICK_MS = 100
/** How often there is published to a bucket, where each round costs some ten requests. */
const BUCKET_TICK_MS = 500
/** How long a close waits for what was appended to be published, by whomever. */
const CLOSE_MS_MAX = 10_000

export interface SharedLedgerOptions {
  readonly database: PostgresDatabase
  readonly directory: string
  /** The bucket that its files are in instead of the directory. */
  readonly objects?: S3Objects | null
  readonly origin: string
  readonly signer: KeyObject
  /** Where this gateway runs, for people. */
  readonly place: string
  /** Hears of each entry of all gateways, in order, once it is durable. */
  readonly heard: (entry: Heard) => void
  /** This gateway was declared dead, and can do nothing any more. */
  readonly stopped: (cause: Error) => void
  /** Words for the operator: what keeps failing. */
  readonly trouble: (words: string, cause: unknown) => void
}

export class SharedLedger implements Ledger {
  readonly #log: SharedLog
  readonly #options: SharedLedgerOptions
  readonly #order: Order
  readonly #publishing: Publishing
  readonly #tail: Tail
  readonly membership: Membership
  readonly clock: DatabaseClock
  readonly #enders: ((ended: Ended) => void)[] = []
  #first: Uint8Array | null = null
  #timers: NodeJS.Timeout[] = []
  readonly #running = new Set<Promise<void>>()
  #said = ''
  #closed: Promise<void> | null = null

  private constructor(log: SharedLog, options: SharedLedgerOptions, membership: Membership) {
    const { database, heard, stopped } = options
    this.#log = log
    this.#options = options
    this.membership = membership
    this.#order = new Order(database, membership.id, { alongWith: followEffects, stopped })
    this.#publishing = new Publishing(database, log, membership.id)
    this.#tail = new Tail(database, log, heard)
    this.clock = new DatabaseClock()
  }

  /** Joins the gateways of this database. Errors: GatewayError `state_error`, LedgerError. */
  static async open(options: SharedLedgerOptions): Promise<SharedLedger> {
    const { database, objects, origin, signer, place } = options
    await database.run(
      'INSERT INTO ledger_head (id, size, at_ms) VALUES (1, 0, 0) ON CONFLICT DO NOTHING',
    )
    await database.run(
      `INSERT INTO ledger_publication (id, published, note, owner, token, expires_at_ms)
       VALUES (1, 0, '', '', 0, 0) ON CONFLICT DO NOTHING`,
    )
    const membership = new Membership(database, place)
    const writer = membership.id
    const directory = objects ? S3_DIRECTORY : options.directory
    const identity = { directory, origin, signer, writer }
    const log = await SharedLog.open(identity, objects ? s3Files(objects) : undefined)
    const ledger = new SharedLedger(log, options, membership)
    await ledger.#look()
    await ledger.#requireSameFiles()
    await membership.join()
    ledger.#start()
    return ledger
  }

  /** What the state says is published is in this directory, and nothing that it does not know. */
  async #requireSameFiles(): Promise<void> {
    const there = await this.#log.published()
    const { size } = this.#tail.checkpoint
    if (there === null && size > 0) {
      const message = 'the other gateways publish to another directory than this one'
      throw new LedgerError('ledger_corrupt', message)
    }
    if (there === null || there.size <= size) return
    // Published by another one between the two looks, or by nobody that this state knows.
    await this.#tail.look()
    if (there.size <= this.#tail.checkpoint.size) return
    const message = `the files have ${there.size} entries, and the state knows fewer of them`
    throw new LedgerError('ledger_older_than_acknowledged', message)
  }

  #start(): void {
    this.#every(TICK_MS, () => this.catchUp())
    const pauseMs = this.#options.objects ? BUCKET_TICK_MS : TICK_MS
    this.#every(pauseMs, () => this.#publishing.round())
    this.#every(RENEW_MS, async () => {
      if (await this.membership.renew()) await this.#bury()
      else this.#options.stopped(new LedgerError('ledger_stopped', 'it was declared dead'))
    })
  }

  /** Hears of each gateway that died, once what it had begun is ended. */
  onEnded(listener: (ended: Ended) => void): void {
    this.#enders.push(listener)
  }

  async #bury(): Promise<void> {
    const ended = await this.membership.bury()
    if (await this.membership.inherit()) ended.push({ effects: [], plans: [] })
    for (const one of ended) for (const listener of this.#enders) listener(one)
  }

  /** One at a time, with a pause in between; what fails is tried again, and said once. */
  #every(pauseMs: number, work: () => Promise<void>): void {
    const position = this.#timers.length
    const turn = () => {
      const done = work()
        .then(() => this.#say(''))
        .catch((cause: unknown) =>
          this.#say(cause instanceof Error ? cause.message : String(cause), cause),
        )
        .finally(() => {
          this.#running.delete(done)
          if (this.#closed === null) this.#timers[position] = setTimeout(turn, pauseMs)
        })
      this.#running.add(done)
    }
    this.#timers[position] = setTimeout(turn, 0)
  }

  #say(words: string, cause?: unknown): void {
    if (words !== '' && words !== this.#said) this.#options.trouble(words, cause)
    if (words !== '') this.#said = words
  }

  get isPublisher(): boolean {
    return this.#publishing.holds
  }

  get verifierKey(): string {
    return this.#log.verifierKey
  }

  get size(): number {
    return this.#tail.size
  }

  async append(entry: Uint8Array): Promise<{ index: number }> {
    const appended = await this.#order.append(entry)
    this.#tail.reached(appended.index + 1)
    return appended
  }

  /** Entry 0, made by `entry` where no gateway has made it. */
  async founded(entry: () => string): Promise<Uint8Array> {
    if (this.size === 0) await this.#order.begin(entry())
    const first = await this.#tail.read(0)
    if (first === undefined) throw new LedgerError('entry_unknown', 'there is no entry 0')
    this.#tail.reached(1)
    this.#first = this.#log.leafHash(first)
    return first
  }

  /** The newest checkpoint that is published; entries after it are durable and not yet in the files. */
  checkpoint(): { size: number; rootHash: Uint8Array; note: string } {
    const { size, rootHash, note } = this.#tail.checkpoint
    return { size, rootHash, note }
  }

  /** Looks now, so that what others recorded up to here is told. */
  async catchUp(): Promise<void> {
    await this.#look()
    await this.#tail.tell()
  }

  /** The time of the newest entry of all gateways; 0 where there is none. */
  get newestMs(): number {
    return this.#tail.newestMs
  }

  async #look(): Promise<void> {
    this.clock.saw(await this.#tail.look())
    // One that was asked by a database whose clock went back since then knows more than the clock.
    this.clock.notBefore(this.#tail.newestMs)
  }

  async read(index: number): Promise<Uint8Array> {
    const isIndex = Number.isSafeInteger(index) && index >= 0 && index < this.size
    const entry = isIndex ? await this.#tail.read(index) : undefined
    if (entry !== undefined) return entry
    throw new LedgerError('entry_unknown', `there is no entry ${index}`)
  }

  firstEntryHash(): Uint8Array | null {
    return this.#first
  }

  putPayload(bytes: Uint8Array): Promise<string> {
    return this.#log.putPayload(bytes)
  }

  readPayload(sha256Hex: string): Promise<Uint8Array> {
    return this.#log.readPayload(sha256Hex)
  }

  dropPayload(sha256Hex: string): Promise<void> {
    return this.#log.dropPayload(sha256Hex)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.allSettled(this.#running)
    await this.#order.close()
    const wanted = this.size
    const untilMs = performance.now() + CLOSE_MS_MAX
    try {
      await this.#tail.look()
      while (this.#tail.checkpoint.size < wanted && performance.now() < untilMs) {
        this.#publishing.tryAtOnce()
        await this.#publishing.round()
        await this.#tail.look()
        if (!this.#publishing.holds) await new Promise((done) => setTimeout(done, TICK_MS))
      }
      await this.#publishing.yield()
      await this.membership.leave()
    } catch {
      // The others do all of this when its row has run out.
    }
  }
}
