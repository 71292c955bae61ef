// Texts that many rows share, and their numbers.

/** Texts and their numbers in order of appearance. */
export class Texts {
  readonly #ids = new Map<string, number>()
  /** Those not handed on yet. */
  fresh: string[] = []

  get size(): number {
    return this.#ids.size
  }

  has(text: string): boolean {
    return this.#ids.has(text)
  }

  idOf(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#ids.size
    this.#ids.set(text, id)
    this.fresh.push(text)
    return id
  }

  all(): string[] {
    return [...this.#ids.keys()]
  }
}
