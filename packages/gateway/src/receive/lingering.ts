// A refusal that is told while its client still sends: the answer goes out whole, and what still comes is
// read away for a while. A socket closed with unread bytes is reset, and a reset takes the answer with it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Reply } from './received.ts'

/** How long what comes after a refusal is read away, in milliseconds. */
export const LINGERING_MS = 5_000

/**
 * Resolves when the client has sent all, has gone, or has had its time. The client knows the
 * end of the answer by its announced length; the connection is of no further use.
 * Source: RFC 9112 section 9.6 (close in stages)
 */
export async function sendLingering(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  reply: Reply & { readonly body: Uint8Array },
): Promise<void> {
  outgoing.writeHead(reply.status, reply.headers.flat())
  outgoing.write(reply.body)
  await readAway(incoming)
  outgoing.end()
}

function readAway(incoming: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    if (incoming.complete || incoming.destroyed) return resolve()
    const timer = setTimeout(resolve, LINGERING_MS)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    incoming.once('end', done).once('close', done).once('error', done)
    incoming.resume()
  })
}
