// One thing at a time for each key, in the order asked; keys not in use take no memory.

export class Mutexes {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Runs `work` after everything asked before under the same key, and returns its result. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    const tail = mine.catch(() => undefined)
    this.#tails.set(key, tail)
    try {
      return await mine
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}
