// Says on standard error how far the reading of a trail is, when it takes more than a second: in place on a
// terminal, a line now and then elsewhere.
import { number } from '@seconder/replay/report/words'
import type { Progress } from '@seconder/replay/store/scan'

const QUIET_MS = 1_000
const TERMINAL_MS = 200
const LINE_MS = 5_000

export class ReplayProgress {
  readonly #begun = performance.now()
  readonly #isTerminal = process.stderr.isTTY === true
  #said = 0
  #isOpen = false

  readonly see = (progress: Progress): void => {
    const now = performance.now()
    const pause = this.#isTerminal ? TERMINAL_MS : LINE_MS
    if (now - this.#begun < QUIET_MS || now - this.#said < pause) return
    this.#said = now
    const { files, filesDone, bytes, bytesDone, events } = progress
    const percent = bytes === 0 ? 100 : Math.floor((bytesDone / bytes) * 100)
    const counts = `${number(filesDone)} of ${number(files)} files, ${number(events)} events`
    const words = `reading: ${counts}, ${percent} %`
    this.#isOpen = this.#isTerminal
    process.stderr.write(this.#isTerminal ? `\r${words}   ` : `${words}\n`)
  }

  /** Clears the line. */
  end(): void {
    if (this.#isOpen) process.stderr.write('\r\u001b[K')
    this.#isOpen = false
  }
}
