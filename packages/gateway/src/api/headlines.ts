// The head of a review document, for lists: kept in memory under the document's hash, which never changes.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { type AnyDocument, partsOf } from '../review/plan-document.ts'
import type { Shown } from './payloads.ts'

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
  readonly #read: (sha256: string) => Promise<Shown>
  readonly #kept = new Map<string, Headline>()

  constructor(read: (sha256: string) => Promise<Shown>) {
    this.#read = read
  }

  /** Forgets them all: what was dropped beside the ledger is not told from here. */
  forget(): void {
    this.#kept.clear()
  }

  async of({ documentSha256 }: { readonly documentSha256: string }): Promise<Headline> {
    const kept = this.#kept.get(documentSha256)
    if (kept !== undefined) return kept
    let headline: Headline
    try {
      const { document, gone } = await this.#read(documentSha256)
      headline = document === null ? { ...UNREAD, summary: gone } : headlineOf(document)
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
  const document = JSON.parse(text) as AnyDocument
  const parts = partsOf(document)
  const environments = parts.flatMap(({ action, evidence }) => [
    ...action.resources.map(({ environment }) => environment),
    ...(evidence.reaches ?? []).flatMap((one) => one.environments),
  ])
  const [only] = parts
  const all = new Set<string>(parts.flatMap(({ action }) => action.effects))
  return {
    effects:
      parts.length === 1 && only
        ? only.action.effects
        : EFFECTS_BY_STRICTNESS.filter((effect) => all.has(effect)),
    environments: [...new Set(environments)],
    summary: document.summary,
  }
}
