// The wall on this host (red team C2): the gate does not start while any user could read or change what it
// stands on, opens no session for a user that could, and measures an agent on such a user as its own.
import type { Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import { type Place, placesOf } from './places.ts'
import { ANYBODY, breaches, requireWall, somebody } from './reach.ts'

/** How long what was found of one user holds, in milliseconds; mode bits may change at any time. */
export const REMEMBERED_MS = 10_000
/** Users remembered at once. */
export const USERS_MAX = 1_000

export class Wall {
  #places: readonly Place[]
  readonly #clock: Clock
  readonly #known = new Map<number, { readonly reaches: boolean; readonly untilMs: number }>()

  constructor(config: Config, clock: Clock) {
    this.#places = placesOf(config)
    this.#clock = clock
  }

  get places(): readonly Place[] {
    return this.#places
  }

  /** From now on it stands around these places. Errors: `wall_open`, and then it stands as before. */
  moveTo(config: Config): void {
    const places = placesOf(config)
    requireWall(places, ANYBODY)
    this.#places = places
    this.#known.clear()
  }

  /** Errors: `wall_open`. */
  requireShut(): void {
    requireWall(this.places, ANYBODY)
  }

  /**
   * Errors: `wall_open` where that user could read or change a place of the gate. The gate's own user and
   * root can, and are isolated by nothing: what they may do is the policies' to say.
   */
  requireShutTo(uid: number | undefined): void {
    if (uid === undefined || uid === 0 || uid === process.getuid?.()) return
    requireWall(this.places, somebody(uid))
  }

  /** Whether that user could read or change a place of the gate. */
  reaches(uid: number): boolean {
    const nowMs = this.#clock.nowMs()
    const known = this.#known.get(uid)
    if (known && known.untilMs > nowMs) return known.reaches
    if (this.#known.size >= USERS_MAX) this.#known.clear()
    const reaches = breaches(this.places, somebody(uid)).length > 0
    this.#known.set(uid, { reaches, untilMs: nowMs + REMEMBERED_MS })
    return reaches
  }
}
