// Says on standard error how far something of many steps is, when it takes more than a second: in place on
// a terminal, a line now and then elsewhere.
const QUIET_MS = 1_000
const TERMINAL_MS = 200
const LINE_MS = 5_000

export class StepProgress {
  readonly #begun = performance.now()
  readonly #isTerminal = process.stderr.isTTY === true
  #said = 0
  #isOpen = false

  see(what: string, done: number, of: number): void {
    const now = performance.now()
    const pause = this.#isTerminal ? TERMINAL_MS : LINE_MS
    if (now - this.#begun < QUIET_MS || now - this.#said < pause) return
    this.#said = now
    const words = `${done} of ${of} ${what}`
    this.#isOpen = this.#isTerminal
    process.stderr.write(this.#isTerminal ? `\r${words}   ` : `${words}\n`)
  }

  /** Clears the line. */
  end(): void {
    if (this.#isOpen) process.stderr.write('\r\u001b[K')
    this.#isOpen = false
  }
}
