// The AWS door's listener: makes a Received of each request, lets the path answer, and sends the
// Reply. An answer that cannot be made is a closed connection, never a made-up success.
import type { IncomingMessage, ServerResponse } from 'node:http'
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
  else await pipeline(reply.body as AsyncIterable<Uint8Array>, outgoing)
}
