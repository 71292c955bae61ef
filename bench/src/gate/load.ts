// The load, as a child: sends requests that were made before over keep-alive connections, one at a
// time on each, and measures how long each answer took. Raw sockets, so that it costs little beside
// what it measures. An answer that is not 200 is a failure, and a run with one has no figures.
import net from 'node:net'
import { percentile } from '../figures.ts'

export interface LoadRun {
  readonly port: number
  /** Whole HTTP requests, base64. With `once` each is sent once; else in turn, again and again. */
  readonly requests: readonly string[]
  readonly once: boolean
  readonly connections: number
  /** True opens a connection for each request, and counts its opening to the time. */
  readonly fresh?: boolean
  readonly seconds: number
}

export interface LoadDone {
  readonly answered: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The first answer that was none, in words, or null. */
  readonly failure: string | null
}

const ANSWER_BYTES_MAX = 64 * 1024

process.on('message', (run: LoadRun) => {
  void measure(run).then((done) => process.send?.(done))
})
process.once('disconnect', () => process.exit(0))

async function measure(run: LoadRun): Promise<LoadDone> {
  const requests = run.requests.map((text) => Buffer.from(text, 'base64'))
  const took: number[] = []
  let next = 0
  const take = (): Buffer | null => {
    if (run.once && next >= requests.length) return null
    const request = requests[next % requests.length] ?? null
    next += 1
    return request
  }
  // A connection's first request is not measured: both sides set up much for it once.
  const lines = await Promise.all(
    Array.from({ length: run.fresh ? 0 : run.connections }, () => warmLine(run.port, take)),
  )
  const begun = performance.now()
  const until = begun + run.seconds * 1000
  const drive = async (line: Line | null) => {
    while (performance.now() < until) {
      const request = take()
      if (request === null) return
      const sentAt = performance.now()
      const used = line ?? (await Line.open(run.port))
      await used.exchange(request)
      took.push(performance.now() - sentAt)
      if (line === null) used.close()
    }
  }
  let failure: string | null = null
  try {
    await Promise.all(run.fresh ? [drive(null)] : lines.map(drive))
  } catch (cause) {
    failure = (cause as Error).message
  }
  const seconds = (performance.now() - begun) / 1000
  for (const line of lines) line.close()
  const sorted = Float64Array.from(took).sort()
  const p50Ms = percentile(sorted, 0.5)
  return { answered: took.length, seconds, p50Ms, p99Ms: percentile(sorted, 0.99), failure }
}

async function warmLine(port: number, take: () => Buffer | null): Promise<Line> {
  const line = await Line.open(port)
  const request = take()
  if (request !== null) await line.exchange(request)
  return line
}

/** One kept connection: a request, its whole answer, the next request. */
class Line {
  readonly #socket: net.Socket
  #answer = ''
  #resolve: (() => void) | null = null
  #reject: ((cause: Error) => void) | null = null

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')))
    socket.once('error', (cause) => this.#reject?.(cause))
    socket.once('close', () => this.#reject?.(new Error('the connection closed')))
  }

  static open(port: number): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
      const line = new Line(socket)
      line.#reject = reject
      socket.once('connect', () => resolve(line))
    })
  }

  /** Resolves when the whole answer is there; rejects where it is not a 200. */
  exchange(request: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answer = ''
      this.#resolve = resolve
      this.#reject = reject
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#reject = null
    this.#socket.destroy()
  }

  #read(chunk: string): void {
    this.#answer += chunk
    if (this.#answer.length > ANSWER_BYTES_MAX) this.#reject?.(new Error('the answer is too long'))
    if (!isWhole(this.#answer)) return
    if (this.#answer.startsWith('HTTP/1.1 200')) this.#resolve?.()
    else this.#reject?.(new Error(this.#answer.slice(0, 2_000)))
  }
}

/** Whether this is a head with a whole body, by Content-Length or by chunks (RFC 9112 section 7.1). */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const head = answer.slice(0, headEnd)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return answer.length >= headEnd + 4 + Number(length)
  return answer.endsWith('0\r\n\r\n')
}
