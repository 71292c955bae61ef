// Carries one signed request to AWS (or the configured emulator) and brings its answer back. The host
// comes from the endpoint table alone, never from the caller (red team C5); redirects are returned,
// never followed. It signs nothing and knows no credential.
import http from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { assertHostInTable, endpointFor } from '@seconder/aws/endpoints/endpoint'
import { isHeld, type WireHeader, type WireRequest } from '@seconder/aws/wire-request'
import { GatewayError } from '../errors.ts'
import type { ReceivedBody } from '../receive/received.ts'

export interface Scope {
  readonly service: string
  readonly region: string
  /** Which host of the signing name, as the operation's API says; absent = its only or main one. */
  readonly endpointPrefix?: string | null
  /** Labels before that host, as the client named it in CONNECT mode: `sync-`, `123456789012.`. */
  readonly hostPrefix?: string
}

/** What the upstream answered; the body is a stream until somebody reads it. */
export interface UpstreamAnswer {
  readonly status: number
  readonly headers: readonly WireHeader[]
  readonly body: Readable
}

/** How far a request got when no answer came. */
export class UpstreamSilence extends Error {
  /** False only when it is certain that no byte of the request left the gate. */
  readonly sent: boolean

  constructor(message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UpstreamSilence'
    this.sent = sent
  }
}

export interface Destination {
  readonly host: string
  readonly port: number
  /** The Host header. */
  readonly authority: string
  readonly signingRegion: string
}

export interface Exchange {
  /** Errors: GatewayError `upstream_not_allowed` for what is no row of the endpoint table. */
  destination(scope: Scope): Destination
  /** `headers` are sent as they are. Rejects with UpstreamSilence where no answer came. */
  send(
    to: Destination,
    request: Pick<WireRequest<ReceivedBody>, 'method' | 'target' | 'body'>,
    headers: readonly WireHeader[],
  ): Promise<UpstreamAnswer>
  /** Calls that wait for a connection. */
  readonly waiting: number
  close(): void
}

function tooManyWait(): GatewayError {
  return new GatewayError(
    'limit_reached',
    `${UPSTREAM_WAITING_MAX} calls wait for a connection to AWS already; nothing was done`,
    'wait a little: AWS, or the way to it, is slow just now',
  )
}

/** Connections to one host of AWS, and calls that may wait for one of them; what would be one more is not sent. */
export const UPSTREAM_SOCKETS_MAX = 256
export const UPSTREAM_WAITING_MAX = 2_000

export interface ExchangeOptions {
  /** Only for emulators; null = real AWS over TLS. */
  readonly endpoint: string | null
  /** How long no byte may go either way, in milliseconds. */
  readonly timeoutMs: number
  /** How long one exchange may take in all, however busy it is; its answer's body included. */
  readonly totalTimeoutMs?: number
}

/** A session ends after twelve hours at most; nothing of it goes on for longer than half of that. */
export const TOTAL_TIMEOUT_MS = 6 * 60 * 60_000

export function createExchange({
  endpoint,
  timeoutMs,
  totalTimeoutMs = TOTAL_TIMEOUT_MS,
}: ExchangeOptions): Exchange {
  const tls = endpoint === null || endpoint.startsWith('https:')
  const agent = new (tls ? https.Agent : http.Agent)({
    keepAlive: true,
    maxSockets: UPSTREAM_SOCKETS_MAX,
  })
  const waiting = () =>
    Object.values(agent.requests).reduce((sum, requests) => sum + (requests?.length ?? 0), 0)
  return {
    destination: (scope) => destination(endpoint, scope),
    get waiting() {
      return waiting()
    },
    send(to, { method, target, body }, headers) {
      if (waiting() >= UPSTREAM_WAITING_MAX) return Promise.reject(tooManyWait())
      const flat = headers.flat()
      return exchange(
        tls,
        {
          agent,
          host: to.host,
          port: to.port,
          method,
          path: target,
          headers: flat as unknown as http.OutgoingHttpHeaders,
          timeout: timeoutMs,
        },
        body,
        totalTimeoutMs,
      )
    },
    close: () => agent.destroy(),
  }
}

/** The headers with the upstream's own name as Host, whatever the caller's was. */
export function withHost(headers: readonly WireHeader[], authority: string): WireHeader[] {
  return [['host', authority], ...headers.filter(([name]) => name.toLowerCase() !== 'host')]
}

function destination(endpoint: string | null, scope: Scope): Destination {
  const { service, region, endpointPrefix, hostPrefix = '' } = scope
  const row = endpointFor(service, region, {
    ...(endpointPrefix && { endpointPrefix }),
    hostPrefix,
  })
  if (!row) {
    throw new GatewayError(
      'upstream_not_allowed',
      `\`${service}\` in \`${region}\` is not in the endpoint table`,
      'check the region; services whose host belongs to a customer are not passed on',
    )
  }
  const { host, signingRegion } = row
  if (endpoint === null) {
    assertHostInTable(host)
    return { host, port: 443, authority: host, signingRegion }
  }
  const url = new URL(endpoint)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return { host: url.hostname, port, authority: url.host, signingRegion }
}

function exchange(
  tls: boolean,
  options: https.RequestOptions,
  body: ReceivedBody,
  totalTimeoutMs: number,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = (tls ? https : http).request(options)
    let connected = false
    outgoing.on('socket', (socket) => {
      if (socket.connecting)
        socket.once(tls ? 'secureConnect' : 'connect', () => (connected = true))
      else connected = true
    })
    const late = () => outgoing.destroy(new Error('no answer in time'))
    const deadline = setTimeout(late, totalTimeoutMs)
    outgoing.on('close', () => clearTimeout(deadline))
    outgoing.on('response', (answer) => {
      const headers: WireHeader[] = []
      for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
        headers.push([answer.rawHeaders[index] as string, answer.rawHeaders[index + 1] as string])
      }
      resolve({ status: answer.statusCode ?? 0, headers, body: answer })
    })
    outgoing.on('timeout', late)
    outgoing.on('error', (cause) => {
      reject(
        new UpstreamSilence(`the upstream did not answer: ${reason(cause)}`, connected, { cause }),
      )
    })
    if (isHeld(body)) pourInto(outgoing, body.read())
    else outgoing.end(body)
  })
}

/**
 * Sends a body from the disk. An answer may come before all of it went (a refusal by the head); then the
 * rest is not sent. What cannot be read breaks the request off, so that it is never taken for a whole one.
 */
function pourInto(outgoing: http.ClientRequest, source: Readable): void {
  source.once('error', (cause) => outgoing.destroy(cause))
  outgoing.once('close', () => source.destroy())
  outgoing.once('response', (answer) => {
    if (source.readableEnded) return
    source.unpipe(outgoing)
    source.destroy()
    // Half a request is on this connection: no other may follow it there.
    answer.once('end', () => outgoing.destroy())
  })
  source.pipe(outgoing)
}

/** A word for the failure without addresses or text of the upstream. */
function reason(cause: Error & { code?: string }): string {
  return cause.code ?? 'no answer in time'
}
