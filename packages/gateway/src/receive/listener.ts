// Makes the AWS door's HTTP server: how long a client may take, how much it may send before it is known,
// and how many may be there at once. What is no request, or too slow or too large for one, is told so in
// words where nothing else is being answered on its connection, and let go of.
import http from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { errorReply } from '@seconder/aws/reply/error-reply'
import { randomId } from '../lib/ids.ts'
import { BODY_TIMES } from './body.ts'

export interface DoorLimits {
  /** From the first byte of a request to the end of its headers, in milliseconds. */
  readonly headersMs: number
  /** From the first byte of a request to the last of its body; body.ts holds smaller ones to less. */
  readonly requestMs: number
  /** How long a connection without a request is kept. */
  readonly keepAliveMs: number
  /** How often slow requests are looked for. */
  readonly lookMs: number
  /** How long a client may take nothing of an answer that waits for it. */
  readonly answerIdleMs: number
  /** Bytes of request line and headers. */
  readonly headerBytesMax: number
  /** Connections open at once, those that tunnels run on included. */
  readonly connectionsMax: number
  /** Requests of one connection that are being answered; AWS's clients send one at a time. */
  readonly pipelinedMax: number
}

export const DOOR_LIMITS: DoorLimits = {
  headersMs: 20_000,
  requestMs: BODY_TIMES.largeMs,
  keepAliveMs: 60_000,
  lookMs: 5_000,
  answerIdleMs: 120_000,
  // AWS takes 8 KiB of S3 headers and 16 KiB of a URL; presigned URLs and query calls come near it.
  headerBytesMax: 32 * 1024,
  connectionsMax: 2_000,
  pipelinedMax: 16,
}

/**
 * What answers one request. `isAwaited` is true where the client waits for `100 Continue` before it
 * sends its body.
 */
export type Answer = (
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
  isAwaited: boolean,
) => void

/** The server, not yet listening. */
export function createDoorServer(answer: Answer, limits: DoorLimits = DOOR_LIMITS): http.Server {
  const server = http.createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.lookMs,
    maxHeaderSize: limits.headerBytesMax,
  })
  server.maxConnections = limits.connectionsMax
  // Node leaves out headers past this without a word; the verifier refuses far fewer.
  server.maxHeadersCount = 0
  const answering = new WeakMap<Duplex, number>()
  const take =
    (isAwaited: boolean) => (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => {
      const { socket } = incoming
      const count = (answering.get(socket) ?? 0) + 1
      if (count > limits.pipelinedMax) {
        socket.destroy()
        return
      }
      answering.set(socket, count)
      outgoing.once('close', () => answering.set(socket, (answering.get(socket) ?? 1) - 1))
      outgoing.setTimeout(limits.answerIdleMs, () => {
        // Silence of the upstream is not the client's: only bytes that wait for it count.
        if (outgoing.writableLength > 0 || socket.writableLength > 0) socket.destroy()
      })
      answer(incoming, outgoing, isAwaited)
    }
  server.on('request', take(false))
  server.on('checkContinue', take(true))
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Duplex) => {
    if ((answering.get(socket) ?? 0) > 0 || !socket.writable) socket.destroy()
    else refuseUnreadable(socket as Socket, cause.code ?? '')
  })
  return server
}

const UNREADABLE: Readonly<Record<string, readonly [status: string, words: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'the request line and headers are over the limit of the gate',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not come in time'],
}

/** Before there is a request there is no protocol: the answer is one that botocore and SDKs read. */
function refuseUnreadable(socket: Socket, code: string): void {
  const [status, words] = UNREADABLE[code] ?? [
    '400 Bad Request',
    'this is no HTTP/1.1 request, or one that two readers could read in two ways',
  ]
  const { headers, body } = errorReply({
    protocol: undefined,
    code: 'MalformedRequest',
    message: `Seconder: ${words}; nothing was done`,
    requestId: randomId('x'),
  })
  const lines = [...headers, ['connection', 'close']].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`), body]),
    () => socket.destroy(),
  )
}
