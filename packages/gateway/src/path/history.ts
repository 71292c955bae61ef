// What each session did since the gate started, counted: shown to reviewers, decides nothing.

export interface SessionHistory {
  readonly reads: number
  readonly writes: number
  readonly refused: number
}

export const SESSIONS_COUNTED_MAX = 10_000

export class History {
  readonly #counts = new Map<string, { reads: number; writes: number; refused: number }>()

  count(session: string, what: keyof SessionHistory): void {
    let counts = this.#counts.get(session)
    if (!counts) {
      if (this.#counts.size >= SESSIONS_COUNTED_MAX) {
        const oldest = this.#counts.keys().next().value
        if (oldest !== undefined) this.#counts.delete(oldest)
      }
      counts = { reads: 0, writes: 0, refused: 0 }
      this.#counts.set(session, counts)
    }
    counts[what]++
  }

  of(session: string): SessionHistory {
    return { ...(this.#counts.get(session) ?? { reads: 0, writes: 0, refused: 0 }) }
  }
}
