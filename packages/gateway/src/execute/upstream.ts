// Sends one request to AWS (or the configured emulator) under the gate's real credentials. The only
// place that reveals them. The host comes from the endpoint table alone, never from the caller (red
// team C5); redirects are returned, never followed.
import http from 'node:http'
import https from 'node:https'
import { assertHostInTable, endpointFor } from '@seconder/aws/endpoints/endpoint'
import { sign } from '@seconder/aws/sigv4/sign'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import type { UpstreamCredentials } from '../config.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'

export interface Scope {
  readonly service: string
  readonly region: string
}

/** What the upstream answered; the body is a stream until somebody reads it. */
export interface UpstreamAnswer {
  readonly status: number
  readonly headers: readonly WireHeader[]
  readonly body: http.IncomingMessage
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

export interface UpstreamOptions {
  /** Only for emulators; null = real AWS over TLS. */
  readonly endpoint: string | null
  readonly credentials: UpstreamCredentials
  readonly timeoutMs: number
  readonly clock: Clock
}

export type SendUpstream = (request: WireRequest, scope: Scope) => Promise<UpstreamAnswer>

/**
 * Returns a sender. It resolves with the upstream's answer, whatever its status, and rejects with
 * UpstreamSilence when there was none, or with GatewayError `upstream_not_allowed`.
 */
export function createUpstream(options: UpstreamOptions): SendUpstream & { close(): void } {
  const tls = options.endpoint === null || options.endpoint.startsWith('https:')
  const agent = new (tls ? https.Agent : http.Agent)({ keepAlive: true, maxSockets: 256 })
  const send: SendUpstream = (request, scope) => {
    const target = destination(options.endpoint, scope)
    const signed = sign(
      { ...request, headers: withHost(request.headers, target.authority) },
      {
        accessKeyId: options.credentials.accessKeyId,
        secretAccessKey: options.credentials.secretAccessKey.reveal(),
        ...(options.credentials.sessionToken && {
          sessionToken: options.credentials.sessionToken.reveal(),
        }),
      },
      { service: scope.service, region: target.signingRegion },
      options.clock.nowMs(),
    )
    return exchange(
      tls,
      {
        agent,
        host: target.host,
        port: target.port,
        method: request.method,
        path: request.target,
        headers: signed.flatMap(([name, value]) => [
          name,
          value,
        ]) as unknown as http.OutgoingHttpHeaders,
        timeout: options.timeoutMs,
      },
      request.body,
    )
  }
  return Object.assign(send, { close: () => agent.destroy() })
}

interface Destination {
  readonly host: string
  readonly port: number
  readonly authority: string
  readonly signingRegion: string
}

function destination(endpoint: string | null, scope: Scope): Destination {
  const row = endpointFor(scope.service, scope.region)
  if (!row) {
    throw new GatewayError(
      'upstream_not_allowed',
      `\`${scope.service}\` in \`${scope.region}\` is not in the endpoint table`,
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

function withHost(headers: readonly WireHeader[], authority: string): WireHeader[] {
  return [['host', authority], ...headers.filter(([name]) => name.toLowerCase() !== 'host')]
}

function exchange(
  tls: boolean,
  options: https.RequestOptions,
  body: Uint8Array,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = (tls ? https : http).request(options)
    let connected = false
    outgoing.on('socket', (socket) => {
      if (socket.connecting)
        socket.once(tls ? 'secureConnect' : 'connect', () => (connected = true))
      else connected = true
    })
    outgoing.on('response', (answer) => {
      const headers: WireHeader[] = []
      for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
        headers.push([answer.rawHeaders[index] as string, answer.rawHeaders[index + 1] as string])
      }
      resolve({ status: answer.statusCode ?? 0, headers, body: answer })
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', (cause) => {
      reject(
        new UpstreamSilence(`the upstream did not answer: ${reason(cause)}`, connected, { cause }),
      )
    })
    outgoing.end(body)
  })
}

/** A word for the failure without addresses or text of the upstream. */
function reason(cause: Error & { code?: string }): string {
  return cause.code ?? 'no answer in time'
}
