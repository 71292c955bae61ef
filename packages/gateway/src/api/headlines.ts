// The head of a review document, for lists: kept in memory under the document's hash, which never changes.
import type { Recorder } from '../record/recorder.ts'
import type { ReviewDocument } from '../review/document.ts'

export interface Headline {
  /** Strictest last. */
  readonly effects: readonly string[]
  readonly environments: readonly string[]
  readonly summary: string
}

const KEPT_MAX = 10_000

/** Where the document cannot be read, nothing about it is taken for harmless. */
const UNREAD: Headline = {
  effects: ['unknown'],
  environments: ['production'],
  summary: 'Its document could not be read: look at the request itself.',
}

export class Headlines {
  readonly #recorder: Recorder
  readonly #kept = new Map<string, Headline>()

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  async of({ documentSha256 }: { readonly documentSha256: string }): Promise<Headline> {
    const kept = this.#kept.get(documentSha256)
    if (kept !== undefined) return kept
    let headline: Headline
    try {
      headline = headlineOf(await this.#recorder.payload(documentSha256))
    } catch {
      return UNREAD
    }
    if (this.#kept.size >= KEPT_MAX) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    this.#kept.set(documentSha256, headline)
    return headline
  }
}

function headlineOf(text: string): Headline {
  const { action, evidence, summary } = JSON.parse(text) as ReviewDocument
  const reached = (evidence.reaches ?? []).flatMap(({ environments }) => environments)
  return {
    effects: action.effects,
    environments: [
      ...new Set([...action.resources.map(({ environment }) => environment), ...reached]),
    ],
    summary,
  }
}
