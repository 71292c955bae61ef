// Opens tunnels for clients that know no endpoint but a proxy: `CONNECT HOST:443` for a host of the
// endpoint table, TLS ended here under that name alone, and what comes through it handed to the same
// HTTP server. It connects to nobody: there is no tunnel to anywhere but this gate.
import type { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { type HostRow, hostRow } from '@seconder/aws/endpoints/host-row'
import type { Config } from '../../config.ts'
import type { Clock } from '../../lib/clock.ts'
import type { DoorFacts } from '../door-facts.ts'
import { type Authority, openAuthority } from './authority.ts'

/** Tunnels open at once; the next one is refused with 503. */
export const TUNNELS_MAX = 1_000
/** How long a client may take for its TLS handshake, in milliseconds. */
export const HANDSHAKE_MS = 10_000

/** What a tunnel may be silent for beyond the longest call, in milliseconds. */
const IDLE_MARGIN_MS = 60_000

/** What clients of CONNECT mode are given. */
export interface ConnectCa {
  /** Path of the CA's certificate on the gate's host, and the certificate in PEM. */
  readonly caFile: string
  readonly caCertificate: string
}

export interface ConnectOptions {
  readonly authority: Authority
  /** A tunnel through which no byte went for this long is closed, in milliseconds. */
  readonly idleMs: number
  readonly tunnelsMax?: number
  readonly handshakeMs?: number
}

interface Tunnel {
  readonly row: HostRow
  /** The connection as the kernel knows it: what isolation is measured on. */
  readonly outer: Socket
}

/**
 * Returns the door of a gate's tunnels, with its CA in the gate's state folder.
 * Errors: `state_error` as of openAuthority.
 */
export async function openConnectDoor(config: Config, clock: Clock): Promise<ConnectDoor> {
  const { statePath, review, upstream } = config
  const authority = await openAuthority(join(dirname(statePath), 'connect'), clock)
  // A tunnel may be silent for as long as a call may take: its look-ups, its hold, its upstream.
  return new ConnectDoor({
    authority,
    idleMs: review.holdMs + upstream.timeoutMs + IDLE_MARGIN_MS,
  })
}

export class ConnectDoor {
  readonly #options: ConnectOptions
  readonly #open = new Set<Socket>()
  readonly #tunnels = new WeakMap<Socket, Tunnel>()
  #closed = false

  constructor(options: ConnectOptions) {
    this.#options = options
  }

  get ca(): ConnectCa {
    const { caFile, caCertificate } = this.#options.authority
    return { caFile, caCertificate }
  }

  /** Tunnels open now. */
  get count(): number {
    return this.#open.size
  }

  /** Takes the server's CONNECT requests; what comes out of a tunnel is a request of that server. */
  attach(server: Server): void {
    server.on('connect', (request, socket, head) => {
      this.#take(server, request, socket, head).catch(() => socket.destroy())
    })
  }

  /** The facts of the tunnel that a request came through, or `own` for one that came through none. */
  factsOf(socket: Socket, own: DoorFacts): DoorFacts {
    const tunnel = this.#tunnels.get(socket)
    if (tunnel === undefined) return own
    const { row, outer } = tunnel
    return {
      hosts: [row.host, `${row.host}:443`],
      names: [],
      measure: () => own.measure(outer),
      ...(own.peer && { peer: () => own.peer?.(outer) ?? Promise.resolve(null) }),
      named: row,
    }
  }

  /** Ends every tunnel and opens no other. */
  close(): void {
    this.#closed = true
    for (const outer of this.#open) outer.destroy()
  }

  async #take(
    server: Server,
    { url = '' }: IncomingMessage,
    outer: Duplex,
    head: Buffer,
  ): Promise<void> {
    outer.on('error', () => outer.destroy())
    const host = /^([a-z0-9.-]+):443$/.exec(url)?.[1]
    const row = host === undefined ? undefined : hostRow(host)
    if (!(outer instanceof Socket) || this.#tunnels.has(outer)) {
      return refuse(outer, '403 Forbidden', 'there is no tunnel within a tunnel')
    }
    if (row === undefined) {
      return refuse(outer, '403 Forbidden', 'only hosts of the AWS endpoint table, on port 443')
    }
    if (this.#closed || this.count >= (this.#options.tunnelsMax ?? TUNNELS_MAX)) {
      return refuse(outer, '503 Service Unavailable', 'too many tunnels are open; try again')
    }
    this.#open.add(outer)
    outer.once('close', () => this.#open.delete(outer))
    // An HTTP server keeps half-open connections; a tunnel whose client has gone is over.
    outer.allowHalfOpen = false
    outer.setTimeout(this.#options.idleMs, () => outer.destroy())
    const context = await this.#options.authority.contextFor(row.host)
    if (outer.destroyed) return
    outer.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) outer.unshift(head)
    this.#endTls(server, { row, outer }, context)
  }

  /** Nothing of a client is read as HTTP before its handshake asked for the host of its tunnel. */
  #endTls(server: Server, tunnel: Tunnel, context: tls.SecureContext): void {
    const { row, outer } = tunnel
    // A server of its own for each tunnel: one name, no session of another tunnel, nothing default.
    const ending = tls.createServer({
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: this.#options.handshakeMs ?? HANDSHAKE_MS,
      minVersion: 'TLSv1.2',
      SNICallback(name, done) {
        if (name === row.host) done(null, context)
        else done(new Error('the handshake asks for another host than its tunnel'))
      },
    })
    ending.once('tlsClientError', () => outer.destroy())
    ending.once('secureConnection', (inner) => {
      inner.on('error', () => outer.destroy())
      inner.once('close', () => outer.destroy())
      if (inner.servername !== row.host) {
        outer.destroy()
        return
      }
      this.#tunnels.set(inner, tunnel)
      server.emit('connection', inner)
    })
    ending.emit('connection', outer)
  }
}

function refuse(socket: Duplex, status: string, words: string): void {
  const body = `Seconder: ${words}\n`
  const headers = `content-type: text/plain\r\ncontent-length: ${body.length}\r\nconnection: close`
  // The far end may stay silent: the socket ends with the last byte, not with the client's consent.
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`, () => socket.destroy())
}
