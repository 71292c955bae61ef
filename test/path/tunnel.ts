// A client of CONNECT mode, byte by byte: asks the gate's door for a tunnel, makes the TLS handshake
// it is told to make, and sends what a test likes through it.
import net from 'node:net'
import tls from 'node:tls'
import type { WireRequest } from '@seconder/aws/wire-request'

export interface TunnelOptions {
  /** `http://HOST:PORT` of the AWS door. */
  readonly door: string
  /** PEM of the one CA that the client trusts. */
  readonly ca: string
  /** CONNECT target, `HOST:PORT`. */
  readonly target: string
  /** Name in the handshake; default: the host of the target. Empty: none. */
  readonly sni?: string
}

export interface Answer {
  readonly status: number
  readonly text: string
}

/** Sends `CONNECT target` and resolves with the answer's head, the socket behind it still open. */
export async function connect(
  door: string,
  target: string,
  first = '',
): Promise<Answer & { socket: net.Socket }> {
  const { hostname, port } = new URL(door)
  const socket = net.connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n${first}`)
  const text = await readHead(socket)
  return { status: statusOf(text), text, socket }
}

/** Opens a tunnel and its TLS. Rejects when the gate refuses the one or the other. */
export async function openTunnel({ door, ca, target, sni }: TunnelOptions): Promise<tls.TLSSocket> {
  const { status, text, socket } = await connect(door, target)
  if (status !== 200) throw new Error(text)
  const host = target.replace(/:\d+$/, '')
  const name = sni ?? host
  const inner = tls.connect({
    socket,
    ca,
    ...(name !== '' && { servername: name }),
    // The name that must be in the certificate, whatever the handshake asked for.
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(host, certificate),
  })
  await new Promise((resolve, reject) => {
    inner.once('secureConnect', resolve)
    inner.once('error', reject)
    inner.once('close', () => reject(new Error('closed in the handshake')))
  })
  return inner
}

/** Sends one request and resolves with the whole answer; `''` when the gate closes instead. */
export async function exchange(socket: net.Socket, request: WireRequest): Promise<Answer> {
  const headers = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const length = request.headers.some(([name]) => name.toLowerCase() === 'content-length')
    ? ''
    : `content-length: ${request.body.byteLength}\r\n`
  socket.write(`${request.method} ${request.target} HTTP/1.1\r\n${headers}${length}`)
  socket.write('connection: close\r\n\r\n')
  socket.write(request.body)
  const text = await readAll(socket)
  return { status: statusOf(text), text }
}

/** Everything until the far end closes. */
export function readAll(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
}

function readHead(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.startsWith('HTTP/1.1 200') && text.includes('\r\n\r\n')) end()
    }
    const end = () => {
      socket.off('data', read)
      socket.pause()
      resolve(text)
    }
    socket.on('data', read)
    socket.once('close', end)
  })
}

function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
}
