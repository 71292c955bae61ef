// One thing at a time for each key, in the order asked; keys not in use take no memory.

export class Mutexes {
  readonly #tails = new Map<string, Promise<unknown>>()

  /**
   * Runs `work` after everything asked before under the same key, and returns its result; or what `already`
   * finds when it is its turn.
   */
  async run<T>(
    key: string,
    work: () => Promise<T>,
    already?: () => Promise<T | undefined>,
  ): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const turn = async () => (await already?.()) ?? (await work())
    const mine = before.then(turn, turn)
    const tail = mine.catch(() => undefined)
    this.#tails.set(key, tail)
    try {
      return await mine
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}
