// Makes a Received from a node:http request: its body whole, in memory or on the disk, headers and target
// exactly as sent. Refuses what two parsers could read in two ways.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { saysStream } from '@seconder/aws/recognise/input-streams'
import type { ChunkReader } from '@seconder/aws/sigv4/chunk-reader'
import type { WireHead, WireHeader } from '@seconder/aws/wire-request'
import { GatewayError } from '../errors.ts'
import { type CallSpan, NO_SPAN } from '../telemetry/call-span.ts'
import { type BodyOptions, type ReadBody, readBody } from './body.ts'
import type { DoorFacts } from './door-facts.ts'
import type { Received } from './received.ts'

/** One reason for all: making an error for each closed connection costs more than the check. */
const GONE = 'the client has gone'

const NOT_ADMITTED = { atMs: null, leave: null } as const

const NOT_READ: ReadBody = { body: new Uint8Array(), release: async () => undefined }

/** A request without its body: method, target and headers as sent. */
export function headOf(incoming: IncomingMessage): WireHead {
  return {
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    headers: headerPairs(incoming.rawHeaders),
  }
}

/** What a door asks and uses to take a body in. */
export interface Intake extends Pick<BodyOptions, 'spool' | 'times'> {
  /** Asked when the head alone is acceptable and before anything is read; throws why no body is wanted. */
  readonly beforeBody: (head: WireHead) => Promise<void>
  /** Asked before a body is put on the disk; throws why it is not wanted. */
  readonly admit: (head: WireHead, place: Pick<Received, 'named' | 'label'>) => Promise<Admission>
  /** Absent: nobody is told how the call goes on. */
  readonly span?: CallSpan
}

export interface Admission {
  /** Takes aws-chunked framing off; null where there is none. */
  readonly chunks: ChunkReader | null
  readonly atMs: number
  /** Ends the call that entered. */
  readonly leave: () => void
}

/**
 * Returns the request with its whole body, in memory or on the disk.
 * Errors: `wrong_host` when Host is none of the facts' hosts; those of readBody.
 */
export async function receive(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  facts: DoorFacts,
  { spool, times, beforeBody, admit, span = NO_SPAN }: Intake,
): Promise<Received> {
  const { measure, named } = facts
  const head = headOf(incoming)
  const label = requireHost(head.headers, facts)
  // A stream has no end to wait for: whoever reads such a request refuses it by its head.
  const isStream = saysStream(head)
  if (isStream) outgoing.setHeader('connection', 'close')
  let admission: Admission | null = null
  const { body, release } = isStream
    ? NOT_READ
    : await readBody(incoming, {
        spool,
        times,
        beforeReading: () => beforeBody(head),
        admit: async () => {
          const admitted = await admit(head, { named, label })
          admission = admitted
          return admitted.chunks
        },
      })
  const { atMs: admittedAtMs, leave } = (admission as Admission | null) ?? NOT_ADMITTED
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(GONE)
  })
  return {
    request: { ...head, body },
    admittedAtMs,
    leave,
    isolation: async () => measure(incoming.socket),
    peer: async () => (facts.peer ? facts.peer(incoming.socket) : null),
    named,
    label,
    clientConnected: () =>
      !outgoing.destroyed && !incoming.socket.destroyed && incoming.socket.writable,
    gone: gone.signal,
    span,
    release,
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
