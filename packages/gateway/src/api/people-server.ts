// The HTTP server of the people's API: how long a client may take and how much it may send before anything is read.
// What is no request, or does not come in time, is told so in words and let go of.
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { serve } from '@hono/node-server'
import { once } from '../lib/listening.ts'

export interface PeopleLimits {
  /** From the first byte of a request to the end of its headers, in milliseconds. */
  readonly headersMs: number
  /** From the first byte of a request to the last of its body: an act is 64 KiB at most. */
  readonly requestMs: number
  /** How often slow requests are looked for. */
  readonly lookMs: number
  /** Bytes of request line and headers. */
  readonly headerBytesMax: number
  /** Connections open at once, streams of events included. */
  readonly connectionsMax: number
}

export const PEOPLE_LIMITS: PeopleLimits = {
  headersMs: 10_000,
  requestMs: 20_000,
  lookMs: 5_000,
  headerBytesMax: 16 * 1024,
  connectionsMax: 2_000,
}

/** Resolves when it listens. Errors: `invalid_config` where it cannot. */
export async function servePeople(
  fetch: (request: Request, env: unknown) => Response | Promise<Response>,
  { host, port }: { readonly host: string; readonly port: number },
  limits: PeopleLimits = PEOPLE_LIMITS,
): Promise<{ readonly server: http.Server; readonly address: AddressInfo }> {
  const serverOptions = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.lookMs,
    maxHeaderSize: limits.headerBytesMax,
  }
  const server = serve({
    fetch,
    hostname: host,
    port,
    createServer: http.createServer,
    serverOptions,
  })
  if (!(server instanceof http.Server)) throw new Error('the people are served by HTTP/1.1')
  server.maxConnections = limits.connectionsMax
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Duplex) => {
    if (socket.writable) refuseUnreadable(socket, cause.code ?? '')
    else socket.destroy()
  })
  await once(server)
  return { server, address: server.address() as AddressInfo }
}

const UNREADABLE: Readonly<Record<string, readonly [status: string, code: string, words: string]>> =
  {
    HPE_HEADER_OVERFLOW: [
      '431 Request Header Fields Too Large',
      'body_too_large',
      'the request line and headers are over the limit of the gate',
    ],
    ERR_HTTP_REQUEST_TIMEOUT: [
      '408 Request Timeout',
      'statement_invalid',
      'the request did not come in time',
    ],
  }

function refuseUnreadable(socket: Duplex, cause: string): void {
  const [status, code, what] = UNREADABLE[cause] ?? [
    '400 Bad Request',
    'statement_invalid',
    'this is no HTTP/1.1 request, or one that two readers could read in two ways',
  ]
  const error = {
    code,
    message: `${what}; nothing was done`,
    help: 'use the seconder command or the console',
  }
  const body = JSON.stringify({ error })
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
