// The log of a gate: one line for each event, on standard error, as text or as JSON. Writing costs the path nothing:
// lines wait in a queue within a limit, and where nobody reads them they are counted as lost instead of waited for.
import { write } from 'node:fs'
import { EVENTS, type EventName, type FieldsOf, LEVELS, type Level, written } from './log-events.ts'

export interface LogConfig {
  readonly format: 'text' | 'json'
  readonly level: Level
}

/** Where nothing is configured: what an operator should look at. */
export const LOG_DEFAULT: LogConfig = { format: 'text', level: 'warn' }

/** Bytes that wait to be written; a pipe that nobody empties holds 64 KiB more. */
export const LOG_BYTES_MAX = 1024 * 1024
/** How long a stopping gate waits for its last lines, in milliseconds. */
const FLUSH_MS_MAX = 2_000
const AGAIN_MS = 20
const STANDARD_ERROR = 2

/** Takes bytes, some or all of them; tells how many, or what is wrong. */
export type Sink = (
  bytes: Uint8Array,
  done: (cause: NodeJS.ErrnoException | null, count: number) => void,
) => void

/** Asynchronous: a write to a full pipe holds up a thread of the pool, and never the gate. */
const standardError: Sink = (bytes, done) => write(STANDARD_ERROR, bytes, done)

export class Log {
  #config: LogConfig
  #names: ReadonlySet<string> = new Set()
  readonly #now: () => number
  readonly #sink: Sink
  #waiting: Buffer[] = []
  #bytes = 0
  #isWriting = false
  /** Lines lost since the start, and since the last one that was written. */
  #lost = 0
  #unsaid = 0
  #idle: (() => void)[] = []

  constructor(config: LogConfig, now: () => number = Date.now, sink: Sink = standardError) {
    this.#config = config
    this.#now = now
    this.#sink = sink
  }

  configure(config: LogConfig): void {
    this.#config = config
  }

  /** The channels of the configuration in force, which may be named. */
  name(channels: readonly string[]): void {
    this.#names = new Set(channels)
  }

  get queue(): { readonly bytes: number; readonly lost: number } {
    return { bytes: this.#bytes, lost: this.#lost }
  }

  write<Event extends EventName>(event: Event, fields: FieldsOf<Event>): void {
    const { level } = EVENTS[event]
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#config.level)) return
    if (this.#unsaid > 0 && this.#bytes === 0) {
      const lines = this.#unsaid
      this.#unsaid = 0
      this.#add(this.#line('log_lost', { lines }))
    }
    this.#add(this.#line(event, fields))
  }

  /** Resolves when every line is out, or when that takes too long. */
  async flush(): Promise<void> {
    if (this.#bytes === 0) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS_MAX)
    })
    await Promise.race([new Promise<void>((resolve) => this.#idle.push(resolve)), late])
    clearTimeout(timer)
  }

  #line(event: EventName, fields: Readonly<Record<string, unknown>>): string {
    const time = new Date(this.#now()).toISOString()
    const { level } = EVENTS[event]
    const values = written(event, fields, this.#names)
    if (this.#config.format === 'json') {
      return JSON.stringify({ time, level, event, ...Object.fromEntries(values) })
    }
    const pairs = values.map(([name, value]) => ` ${name}=${asText(value)}`)
    return `${time} ${level.padEnd(5)} ${event}${pairs.join('')}`
  }

  #add(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    if (this.#bytes + bytes.byteLength > LOG_BYTES_MAX) {
      this.#lost++
      this.#unsaid++
      return
    }
    this.#waiting.push(bytes)
    this.#bytes += bytes.byteLength
    if (!this.#isWriting) this.#next()
  }

  #next(): void {
    const bytes = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#isWriting = bytes.byteLength > 0
    if (this.#isWriting) this.#put(bytes)
    else for (const resolve of this.#idle.splice(0)) resolve()
  }

  #put(bytes: Buffer): void {
    this.#sink(bytes, (cause, count) => {
      const isFull = cause?.code === 'EAGAIN' || cause?.code === 'EINTR'
      // Nobody will ever read what a closed standard error was given.
      const done = cause && !isFull ? bytes.byteLength : cause ? 0 : count
      if (cause && !isFull) this.#lost++
      this.#bytes -= done
      if (done === bytes.byteLength) this.#next()
      else setTimeout(() => this.#put(bytes.subarray(done)), isFull ? AGAIN_MS : 0)
    })
  }
}

function asText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\w.:[\]-]+$/.test(text) ? text : JSON.stringify(text)
}
