// The AWS door's listener: makes a Received of each request, lets the path answer, and sends the
// Reply. An answer that cannot be made is a closed connection, never a made-up success.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Gateway } from '../gateway.ts'
import type { DoorFacts } from './door-facts.ts'
import { receive } from './receive.ts'
import type { Received, Reply } from './received.ts'

export async function answerDoor(
  gateway: Gateway,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  facts: DoorFacts,
): Promise<void> {
  try {
    const reply = await replyTo(gateway, incoming, outgoing, facts)
    await send(outgoing, reply)
  } catch {
    // Nothing that is true can be said any more: the client sees a broken connection.
    outgoing.destroy()
  }
}

async function replyTo(
  gateway: Gateway,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  facts: DoorFacts,
): Promise<Reply> {
  let received: Received
  try {
    received = await receive(incoming, outgoing, facts)
  } catch (cause) {
    outgoing.setHeader('connection', 'close')
    const headers = Object.entries(incoming.headers).map(
      ([name, value]) => [name, String(value)] as const,
    )
    const request = {
      method: incoming.method ?? '',
      target: incoming.url ?? '',
      headers,
      body: new Uint8Array(),
    }
    return gateway.refuseUnread(request, cause)
  }
  return gateway.handle(received)
}

async function send(outgoing: ServerResponse, reply: Reply): Promise<void> {
  const headers = reply.headers.flat()
  outgoing.writeHead(reply.status, headers)
  if (reply.body instanceof Uint8Array) outgoing.end(reply.body)
  else if (reply.body instanceof Readable) await pour(reply.body, outgoing)
  else await pipeline(reply.body, outgoing)
}

/**
 * As `pipeline`, at a third of its cost: resolves when all was handed over, rejects when the source
 * broke off or the client went, and neither outlives the other.
 */
function pour(body: Readable, outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    // Either may have ended while the entry of this call became durable; then no event comes any more.
    if (body.destroyed || outgoing.destroyed) {
      body.destroy()
      reject(new Error('the answer broke off, or the client has gone'))
      return
    }
    body.once('error', reject)
    body.once('close', () => {
      if (!body.readableEnded) reject(new Error('the answer broke off'))
    })
    outgoing.once('error', reject)
    outgoing.once('close', () => {
      if (outgoing.writableFinished) return resolve()
      body.destroy()
      reject(new Error('the client has gone'))
    })
    body.pipe(outgoing)
  })
}
