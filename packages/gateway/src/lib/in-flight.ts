// What is being answered now, so that a gate that stops can wait for it.

export class InFlight {
  readonly #underWay = new Set<Promise<unknown>>()

  /** `work` must not reject. */
  add(work: Promise<unknown>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  get count(): number {
    return this.#underWay.size
  }

  /** Resolves when nothing is under way, also of what began meanwhile, or after `graceMs`. */
  async ended(graceMs: number): Promise<void> {
    let isOver = false
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isOver = true
        resolve()
      }, graceMs)
    })
    while (this.#underWay.size > 0 && !isOver) {
      await Promise.race([Promise.allSettled(this.#underWay), over])
    }
    clearTimeout(timer)
  }
}
