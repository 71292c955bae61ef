// The socket of a witness: `POST /add-checkpoint` and nothing else. What to answer is said by the ledger
// package; a body that is too long, too slow or too many is turned away here.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Witness } from '@seconder/ledger/witness'
import { ADD_CHECKPOINT_CHARACTERS_MAX } from '@seconder/ledger/witness-request'

/** A character of a note has at most four bytes. */
const BODY_BYTES_MAX = 4 * ADD_CHECKPOINT_CHARACTERS_MAX
/** How long a client may take to send its request, in milliseconds. */
const REQUEST_MS = 10_000
const CONNECTIONS_MAX = 256
/** Requests that wait for their turn; each is a file synced. */
const WAITING_MAX = 64

export interface WitnessServer {
  readonly url: string
  close(): Promise<void>
}

/** Listens. Rejects where the address cannot be had. */
export async function serveWitness(
  witness: Witness,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<WitnessServer> {
  let waiting = 0
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS })
  server.maxConnections = CONNECTIONS_MAX
  server.on('request', (request, response) => {
    if (request.url !== '/add-checkpoint')
      return say(response, 404, 'there is only /add-checkpoint')
    if (request.method !== 'POST') return say(response, 405, 'send a POST')
    if (waiting >= WAITING_MAX) return say(response, 503, 'too many requests wait; try again')
    waiting += 1
    answer(witness, request, response)
      .catch(() => say(response, 500, 'it could not be remembered, so nothing was cosigned'))
      .finally(() => {
        waiting -= 1
      })
  })
  await listening(server, host, port)
  const address = server.address()
  const bound = typeof address === 'object' ? address?.port : port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await witness.close()
    },
  }
}

async function answer(
  witness: Witness,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return say(response, 413, 'the body is too long')
    chunks.push(chunk)
  }
  const { status, contentType, body } = await witness.add(Buffer.concat(chunks).toString('utf8'))
  response.writeHead(status, { 'content-type': contentType }).end(body)
}

function say(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return
  const headers = { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }
  response.writeHead(status, headers).end(`${text}\n`)
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
}
