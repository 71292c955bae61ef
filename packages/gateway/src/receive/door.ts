// The AWS door's listener: makes a Received of each request, lets the path answer, and sends the
// Reply. An answer that cannot be made is a closed connection, never a made-up success.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Gateway } from '../gateway.ts'
import type { Caller } from '../identify/caller.ts'
import { type CallSpan, NO_SPAN } from '../telemetry/call-span.ts'
import { BODY_TIMES, type BodyTimes } from './body.ts'
import type { DoorFacts } from './door-facts.ts'
import { sendLingering } from './lingering.ts'
import { headOf, receive } from './receive.ts'
import type { Received, Reply } from './received.ts'
import type { Spool } from './spool.ts'

/**
 * How often a client that sent a large body is told that its call goes on, in milliseconds: sending it
 * upstream takes longer than clients wait for a silent server (botocore: 60 s).
 */
export const STILL_AT_IT_MS = 15_000

export interface Door {
  readonly gateway: Gateway
  readonly spool: Spool
  readonly times?: BodyTimes
  readonly stillAtItMs?: number
  /** Told of each call as it begins; absent: nobody is. */
  readonly begin?: (incoming: IncomingMessage) => CallSpan
}

/** `isAwaited`: the client waits for `100 Continue`, which it gets when its head is acceptable. */
export async function answerDoor(
  door: Door,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  facts: DoorFacts,
  isAwaited = false,
): Promise<void> {
  const span = door.begin?.(incoming) ?? NO_SPAN
  let status = 0
  let reply: Reply | undefined
  try {
    reply = await replyTo(door, incoming, outgoing, { ...facts, isAwaited, span })
    const { body } = reply
    // A client that waits for `100 Continue` sends nothing that would have to be read away.
    const isSending = !incoming.complete && !isAwaited && incoming.method !== 'HEAD'
    if (isSending && body instanceof Uint8Array) {
      await sendLingering(incoming, outgoing, { ...reply, body })
    } else await send(outgoing, reply)
    status = reply.status
  } catch {
    // Nothing that is true can be said any more: the client sees a broken connection.
    outgoing.destroy()
    // Its connection upstream, and its place among what is under way, end with it.
    if (reply?.body instanceof Readable) reply.body.destroy()
  } finally {
    span.end(status)
  }
}

async function replyTo(
  door: Door,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  facts: DoorFacts & { readonly isAwaited: boolean; readonly span: CallSpan },
): Promise<Reply> {
  const { gateway, spool, times = BODY_TIMES } = door
  let caller: Caller | undefined
  let leave: (() => void) | undefined
  let received: Received
  try {
    received = await receive(incoming, outgoing, facts, {
      spool,
      times,
      span: facts.span,
      beforeBody: async (head) => {
        if (!facts.isAwaited) return
        await gateway.requireHead(head)
        outgoing.writeContinue()
      },
      admit: async (head, place) => {
        const admitted = await gateway.admit(head, place)
        caller = admitted.caller
        leave = await gateway.enter(admitted, async () => facts.peer?.(incoming.socket) ?? null)
        return { ...admitted, leave }
      },
    })
  } catch (cause) {
    outgoing.setHeader('connection', 'close')
    const refusing = caller && { caller, isCounted: leave !== undefined }
    leave?.()
    return gateway.refuseUnread(headOf(incoming), cause, facts.span, refusing)
  }
  const isLarge = received.admittedAtMs !== null
  const still = isLarge ? stillAtIt(outgoing, door.stillAtItMs ?? STILL_AT_IT_MS) : undefined
  try {
    return await gateway.handle(received)
  } finally {
    clearInterval(still)
    await received.release()
  }
}

/**
 * Says `100 Continue` again and again: interim answers that clients pass over, and that show them that
 * somebody is there. Source: RFC 9110 section 15.2 (a client reads any number of them).
 */
function stillAtIt(outgoing: ServerResponse, everyMs: number): NodeJS.Timeout {
  return setInterval(() => {
    if (!outgoing.headersSent && outgoing.writable) outgoing.writeContinue()
  }, everyMs)
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
