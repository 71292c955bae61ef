// One HTTP exchange with dynalite or s3rver over a Unix socket. The socket lies in a directory of
// the lab's user alone, so there is no second way to the data than the front that verifies.
import { Agent, createServer, type RequestListener, request, type Server } from 'node:http'
import { LabError } from './errors.ts'

/** An answer larger than this is a mistake in the lab: one export month is under 4 MiB. */
export const BACKEND_ANSWER_BYTES_MAX = 64 * 1024 * 1024
const BACKEND_TIMEOUT_MS = 20_000

export interface BackendReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export class Loopback {
  readonly #socketPath: string
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })

  private constructor(server: Server, socketPath: string) {
    this.#server = server
    this.#socketPath = socketPath
  }

  /** A backend that is not a server yet. */
  static serve(listener: RequestListener, socketPath: string): Promise<Loopback> {
    return Loopback.listen(createServer(listener), socketPath)
  }

  static listen(server: Server, socketPath: string): Promise<Loopback> {
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(socketPath, () => resolve(new Loopback(server, socketPath)))
    })
  }

  send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array,
  ): Promise<BackendReply> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) =>
        reject(new LabError('backend_failed', 'a backend of the lab did not answer', '', { cause }))
      const outgoing = request(
        {
          socketPath: this.#socketPath,
          agent: this.#agent,
          method,
          path,
          headers: { ...headers, host: '127.0.0.1', 'content-length': String(body?.length ?? 0) },
          timeout: BACKEND_TIMEOUT_MS,
        },
        (incoming) => {
          const chunks: Buffer[] = []
          let bytes = 0
          incoming.on('data', (chunk: Buffer) => {
            bytes += chunk.length
            if (bytes > BACKEND_ANSWER_BYTES_MAX) incoming.destroy(new Error('answer too large'))
            else chunks.push(chunk)
          })
          incoming.on('error', fail)
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: flat(incoming.headers),
              body: Buffer.concat(chunks),
            }),
          )
        },
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')))
      outgoing.on('error', fail)
      outgoing.end(body)
    })
  }

  close(): Promise<void> {
    this.#agent.destroy()
    return new Promise((resolve, reject) => {
      this.#server.close((error) => (error ? reject(error) : resolve()))
    })
  }
}

function flat(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return out
}
