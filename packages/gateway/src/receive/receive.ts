// Makes a Received from a node:http request: the whole body within the limit, headers and target
// exactly as sent. Refuses what two parsers could read in two ways.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { saysStream } from '@seconder/aws/recognise/input-streams'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { GatewayError } from '../errors.ts'
import type { DoorFacts } from './door-facts.ts'
import type { Received } from './received.ts'

/** Bytes of body the gate holds in memory for one request. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024

/** One reason for all: making an error for each closed connection costs more than the check. */
const GONE = 'the client has gone'

/** A request without its body: method, target and headers as sent. */
export function headOf(incoming: IncomingMessage): WireRequest {
  return {
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    headers: headerPairs(incoming.rawHeaders),
    body: new Uint8Array(),
  }
}

/**
 * Returns the request with its whole body. `beforeBody` is asked when the head alone is acceptable and
 * before anything is read; what it throws is why no body is wanted.
 * Errors: `body_too_large` past BODY_BYTES_MAX; `wrong_host` when Host is none of the facts' hosts.
 */
export async function receive(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  facts: DoorFacts,
  beforeBody: (head: WireRequest) => void = () => undefined,
): Promise<Received> {
  const { measure, named } = facts
  const head = headOf(incoming)
  const label = requireHost(head.headers, facts)
  requireLength(incoming)
  // A stream has no end to wait for: whoever reads such a request refuses it by its head.
  const isStream = saysStream(head)
  if (isStream) outgoing.setHeader('connection', 'close')
  else beforeBody(head)
  const body = isStream ? head.body : await readBody(incoming)
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(GONE)
  })
  return {
    request: { ...head, body },
    isolation: async () => measure(incoming.socket),
    named,
    label,
    clientConnected: () =>
      !outgoing.destroyed && !incoming.socket.destroyed && incoming.socket.writable,
    gone: gone.signal,
  }
}

function headerPairs(raw: readonly string[]): WireHeader[] {
  const pairs: WireHeader[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    pairs.push([raw[index] as string, raw[index + 1] as string])
  }
  return pairs
}

/** A label in front is lower case, as DNS names are compared: another spelling would be a second reading. */
const LABEL = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?[.-]$/

/**
 * What stands before the gate's own name, mostly nothing. DNS rebinding shows in Host, so a name that is
 * not the gate's is refused; which label means what is said where the signature has named the service.
 */
function requireHost(
  headers: readonly WireHeader[],
  { hosts, names, named }: Pick<DoorFacts, 'hosts' | 'names' | 'named'>,
): string {
  const values = headers.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value)
  const host = values.length === 1 ? (values[0] ?? '') : ''
  if (hosts.includes(host.toLowerCase())) return ''
  const name = names.find((each) => host.endsWith(each))
  const label = name === undefined ? '' : host.slice(0, -name.length)
  if (LABEL.test(label)) return label
  if (named) {
    const words = 'the Host header is not the host that the tunnel was opened for'
    throw new GatewayError('wrong_host', words, 'open a tunnel for each host')
  }
  throw new GatewayError(
    'wrong_host',
    'the Host header is not this gate',
    'use the endpoint exactly as `seconder session open` printed it; a bucket may stand before `localhost` or in the path',
  )
}

/** A body that says itself that it is too large is refused before a byte of it is read. */
function requireLength(incoming: IncomingMessage): void {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  if (!(announced <= BODY_BYTES_MAX)) throw tooLarge()
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > BODY_BYTES_MAX) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (cause) {
    throw cause instanceof GatewayError ? cause : brokenOff(cause)
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
}

function brokenOff(cause: unknown): GatewayError {
  return new GatewayError(
    'request_closed',
    'the client went before its request was whole; nothing was done',
    'send the whole request',
    { cause },
  )
}

function tooLarge(): GatewayError {
  return new GatewayError(
    'body_too_large',
    `the body is over ${BODY_BYTES_MAX} bytes`,
    'send smaller parts; streaming bodies come in a later version',
  )
}
