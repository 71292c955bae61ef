// Describes the distinct calls that workers found, once each, and numbers them. The workers know nothing of
// AWS: they start at once, and their memory is rows.

import { randomBytes } from 'node:crypto'
import type { JsonObject } from '@seconder/aws/call'
import { grammarFor } from '@seconder/aws/sql/stated'
import { named } from '../event/names.ts'
import type { RecordedCall } from '../event/recorded-call.ts'
import { isLook, type KnownCall, knownCall, widened } from './known-call.ts'
import { watched } from './passing-members.ts'
import type { RawCall } from './row.ts'
import { Texts } from './texts.ts'

/** Distinct calls that are kept apart; past it their names are widened. */
export const CALLS_MAX = 200_000

export class CallBook {
  readonly #maskKey = randomBytes(32).toString('hex')
  readonly #texts = new Texts()
  readonly #callsMax: number
  readonly #wide = new Set<number>()
  /** Operations of which it was wrongly taken that tokens and times say nothing. */
  readonly mistaken = new Set<string>()

  constructor(callsMax = CALLS_MAX) {
    this.#callsMax = callsMax
  }

  /** KnownCall as JSON, by number. */
  get texts(): string[] {
    return this.#texts.all()
  }

  /** Resolves when these can be described as the gate would; undefined where nothing is to be waited for. */
  readyFor(calls: readonly RawCall[]): Promise<void> | undefined {
    for (const [eventSource, eventName] of calls) {
      const loading = grammarFor(named(eventSource, eventName)?.signingName ?? '')
      // Without a grammar SQL is opaque, which is the strictest.
      if (loading !== undefined) return loading.catch(() => undefined)
    }
    return undefined
  }

  isWide(id: number): boolean {
    return this.#wide.has(id)
  }

  idOf(raw: RawCall): number {
    const [eventSource, eventName, eventType, region, account, parameters, left, rest] = raw
    const recorded = { eventSource, eventName, eventType, region, account, parameters }
    const known = knownCall(recorded, this.#maskKey)
    const text = JSON.stringify(known)
    if (left.length > 0 && !this.#saysNothing(recorded, known, text, left, rest)) {
      this.mistaken.add(`${eventSource} ${eventName}`)
    }
    if (this.#texts.size < this.#callsMax || this.#texts.has(text)) return this.#texts.idOf(text)
    const id = this.#texts.idOf(JSON.stringify(widened(known)))
    this.#wide.add(id)
    return id
  }

  /**
   * Whether the members that a worker left out say nothing of the call: it is a look, its description is the
   * same without them, and none of them was asked for.
   */
  #saysNothing(
    recorded: RecordedCall,
    known: KnownCall,
    text: string,
    left: readonly string[],
    rest: string,
  ): boolean {
    if (known.is !== 'call') return true
    if (!isLook(known.meaning.effects)) return false
    const names = new Set(left.map((name) => name.toLowerCase()))
    let isAsked = false
    const watch = (given: JsonObject) =>
      watched(given, (name) => {
        if (names.has(name.toLowerCase())) isAsked = true
      })
    const bare = knownCall({ ...recorded, parameters: rest }, this.#maskKey, watch)
    return JSON.stringify(bare) === text && !isAsked
  }
}
