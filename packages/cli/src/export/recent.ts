// A map that remembers what was set last, up to a limit: memory does not grow with the log.

const ENTRIES_MAX = 100_000

export class Recent<T> {
  readonly #values = new Map<string, T>()
  readonly #max: number

  constructor(max = ENTRIES_MAX) {
    this.#max = max
  }

  get(key: string): T | undefined {
    return this.#values.get(key)
  }

  set(key: string, value: T): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.#max) return
    const [oldest] = this.#values.keys()
    if (oldest !== undefined) this.#values.delete(oldest)
  }
}
