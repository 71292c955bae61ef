// Which entries of the ledger are about which session: made from the ledger itself at the start, in between
// other work, and kept on as entries come. Whoever shows a page reads only what the page shows.
import { setImmediate } from 'node:timers/promises'
import type { Ledger } from '@seconder/ledger/ledger'
import { GlassEntries } from '../break-glass/account.ts'
import type { Entry } from './entry.ts'
import type { Recorder } from './recorder.ts'

export type IndexedEntry = Entry & { readonly index: number }

/**
 * Newest entries that are indexed, at the start and for as long as the gate runs; older ones are in the ledger, not in
 * a session's page. Half as many more are there before the oldest go.
 */
export const INDEXED_MAX = 1_000_000
/** Entries of one page. */
export const PAGE_MAX = 1_000
/** Entries that were shown lately and are kept: those of one session lie scattered, each in a file of many. */
const SHOWN_KEPT_MAX = 2_000
/** Entries indexed in one go: as many as a bundle of the ledger has. */
const AT_ONCE = 256

export interface EntryPage {
  readonly entries: readonly IndexedEntry[]
  /** Index to go on from towards older entries, or null at the end. */
  readonly next: number | null
  /** Entries of the whole ledger. */
  readonly size: number
}

/** Entries that name a request or an effect belong to the session of that. */
interface Links {
  readonly session?: unknown
  readonly request?: unknown
  readonly effect?: unknown
  readonly breakGlass?: unknown
  readonly type?: unknown
}

export class Timeline {
  readonly #ledger: Ledger
  readonly #indexedMax: number
  readonly #ofSession = new Map<string, number[]>()
  /** Session of each request and of each effect: those named since the oldest went last, and those before that. */
  #sessionOf = new Map<string, string>()
  #sessionBefore = new Map<string, string>()
  #from = 0
  readonly #glass = new GlassEntries()
  /** The longest not shown first. */
  readonly #shown = new Map<number, IndexedEntry>()
  #indexedTo = 0
  #indexing: Promise<void> | undefined

  constructor(ledger: Ledger, indexedMax = INDEXED_MAX) {
    this.#ledger = ledger
    this.#indexedMax = indexedMax
  }

  /** Entries that are indexed now. */
  get indexed(): number {
    return this.#indexedTo - this.#from
  }

  /** Keeps the index on with what is recorded, so that no page waits for it; what came before is read now. */
  follow(recorder: Pick<Recorder, 'onRecorded'>): void {
    recorder.onRecorded((recorded) => {
      const isNext = recorded.index === this.#indexedTo && this.#indexing === undefined
      if (isNext) this.#noteAt(this.#indexedTo++, recorded)
    })
    // Whoever asks for a page tries again, and is told why where it fails again.
    this.#catchUp().catch(() => undefined)
  }

  /** The newest entries of a session, oldest first, at most `limit` before `before`. */
  async ofSession(
    session: string,
    before = Number.MAX_SAFE_INTEGER,
    limit = PAGE_MAX,
  ): Promise<EntryPage> {
    await this.#catchUp()
    const all = this.#ofSession.get(session) ?? []
    let end = all.length
    while (end > 0 && (all[end - 1] ?? 0) >= before) end -= 1
    const shown = all.slice(Math.max(0, end - limit), end)
    const [first] = shown
    return {
      entries: await this.#read(shown),
      next: end > shown.length && first !== undefined ? first : null,
      size: this.#ledger.checkpoint().size,
    }
  }

  /** The opening of a break-glass and what was done under it, as far as the ledger's first `size` entries. */
  async ofBreakGlass(id: string, size: number): Promise<{ index: number; entry: Entry }[]> {
    await this.#catchUp()
    const indices = this.#glass.of(id).filter((index) => index < size)
    const found = await this.#read(indices)
    return found.map(({ index, ...entry }) => ({ index, entry: entry as Entry }))
  }

  /** Entries from `from` downwards, newest first; from the newest where `from` is null. */
  async downwards(from: number | null, limit: number): Promise<EntryPage> {
    const { size } = this.#ledger.checkpoint()
    const first = Math.min(from ?? size - 1, size - 1)
    const indices: number[] = []
    for (let index = first; index >= 0 && indices.length < limit; index--) indices.push(index)
    const last = indices.at(-1) ?? 0
    return { entries: await this.#read(indices), next: last > 0 ? last - 1 : null, size }
  }

  /** One reader at a time; whoever comes later waits for the same. */
  async #catchUp(): Promise<void> {
    const { size } = this.#ledger
    if (this.#indexedTo >= size) return
    this.#indexing ??= this.#index(size).finally(() => {
      this.#indexing = undefined
    })
    await this.#indexing
    await this.#catchUp()
  }

  async #index(size: number): Promise<void> {
    if (this.#indexedTo === 0) {
      this.#indexedTo = Math.max(0, size - this.#indexedMax)
      this.#from = this.#indexedTo
    }
    for (; this.#indexedTo < size; this.#indexedTo++) {
      if (this.#indexedTo % AT_ONCE === 0) await setImmediate()
      this.#noteAt(this.#indexedTo, (await this.#entry(this.#indexedTo)) as Links)
    }
  }

  /** Lets go of the oldest, so that what is indexed does not grow with the ledger. */
  #forget(): void {
    this.#from = this.#indexedTo - this.#indexedMax
    for (const [session, indices] of this.#ofSession) {
      const kept = indices.filter((index) => index >= this.#from)
      if (kept.length === 0) this.#ofSession.delete(session)
      else this.#ofSession.set(session, kept)
    }
    this.#sessionBefore = this.#sessionOf
    this.#sessionOf = new Map()
  }

  #noteAt(index: number, links: Links): void {
    if (this.indexed > 1.5 * this.#indexedMax) this.#forget()
    const { session, request, effect } = links
    this.#glass.take(index, { ...links })
    const names = [request, effect].filter((name) => typeof name === 'string')
    const known = names
      .map((name) => this.#sessionOf.get(name) ?? this.#sessionBefore.get(name))
      .find((one) => one !== undefined)
    const owner = typeof session === 'string' ? session : known
    if (owner === undefined) return
    for (const name of names) this.#sessionOf.set(name, owner)
    const entries = this.#ofSession.get(owner)
    if (entries) entries.push(index)
    else this.#ofSession.set(owner, [index])
  }

  async #read(indices: readonly number[]): Promise<IndexedEntry[]> {
    const entries: IndexedEntry[] = []
    for (const index of indices) entries.push(await this.#kept(index))
    return entries
  }

  /** An entry never changes, so what was read once is what it is. */
  async #kept(index: number): Promise<IndexedEntry> {
    const entry = this.#shown.get(index) ?? { ...(await this.#entry(index)), index }
    this.#shown.delete(index)
    if (this.#shown.size >= SHOWN_KEPT_MAX) {
      const [oldest] = this.#shown.keys()
      if (oldest !== undefined) this.#shown.delete(oldest)
    }
    this.#shown.set(index, entry)
    return entry
  }

  async #entry(index: number): Promise<Entry> {
    return JSON.parse(new TextDecoder().decode(await this.#ledger.read(index))) as Entry
  }
}
