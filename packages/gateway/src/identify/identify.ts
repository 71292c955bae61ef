// Makes a Caller from a verified signature: which session's key signed, for whom, under which role.
// A request that does not verify, or whose session is not open, has no caller and goes no further.
import { takesBlob } from '@seconder/aws/describe-call'
import { hostLabel } from '@seconder/aws/endpoints/host-label'
import { onHost, pathStyle, requireRow } from '@seconder/aws/endpoints/host-row'
import { type ChunkedEnd, ChunkReader } from '@seconder/aws/sigv4/chunk-reader'
import { plainHeaders, readChunkedBody } from '@seconder/aws/sigv4/chunked-body'
import { SigV4Error } from '@seconder/aws/sigv4/errors'
import { withoutPresignedParameters } from '@seconder/aws/sigv4/sign'
import { type VerifiedSignature, verifyAsking, verifyHead } from '@seconder/aws/sigv4/verify'
import { headerValues, isHeld, type WireHead, type WireRequest } from '@seconder/aws/wire-request'
import { GatewayError } from '../errors.ts'
import type { Received, ReceivedBody } from '../receive/received.ts'
import type { SessionRow, Store } from '../state/store.ts'
import type { Caller } from './caller.ts'
import { requireSessionToken } from './child-opening.ts'
import { requireOpen } from './open-session.ts'

/** How long a presigned request lasts at most, from its date, whatever it asks for (red team H17). */
export const PRESIGNED_MS_MAX = 15 * 60_000

export interface Identified {
  readonly caller: Caller
  readonly verified: VerifiedSignature
  /** The request with its body decoded: what is described, hashed and forwarded is one and the same. */
  readonly request: WireRequest<ReceivedBody>
  /** Label before the host of AWS that the client addressed, as `sync-`; empty where it named none. */
  readonly hostPrefix: string
  /** Lower-case names of the headers that the caller vouched for. */
  readonly vouchedHeaders: readonly string[]
  readonly session: SessionRow
}

/**
 * Returns who is asking.
 * Errors: SigV4Error of packages/aws; `session_closed` and `session_suspended`; EndpointError
 * `other_row` when the signature is not for the host that the client believes it talks to, or no host of
 * the service signed for has the label that stood before the gate's own name.
 */
export async function identify(
  received: Received,
  store: Store,
  nowMs: number,
): Promise<Identified> {
  const keys = keysOf(store)
  const options = { presignedMsMax: PRESIGNED_MS_MAX }
  // A large body takes its time; what its signature says of the time was so when its head came.
  const signedForMs = received.admittedAtMs ?? nowMs
  const verified = await verifyAsking(received.request, keys.lookup, signedForMs, options)
  const session = requireOpen(keys.found(), nowMs)
  requireSessionToken(verified, session)
  const { named } = received
  if (named) requireRow(named, verified, received.request)
  const { request, vouchedHeaders } = decoded(received.request, verified, session)
  // From here on a bucket in the host is one in the path: what is described is what is forwarded.
  const { hostPrefix, request: addressed } = addressedBy(
    received,
    verified,
    withoutSignature(request),
  )
  const caller = callerOf(session)
  return { caller, verified, session, request: addressed, hostPrefix, vouchedHeaders }
}

/**
 * Throws why a request is refused whatever its body is: as `identify`, with the body left out. A
 * signature is verified where the head names the hash of its body, as S3's clients do.
 */
export async function identifyHead(head: WireHead, store: Store, nowMs: number): Promise<void> {
  const keys = keysOf(store)
  const options = { presignedMsMax: PRESIGNED_MS_MAX }
  await verifyHead(head, keys.lookup, nowMs, options)
  requireOpen(keys.found(), nowMs)
}

/** Who may put a large body on the gate's disk, and how its framing comes off. */
export interface Admitted extends Pick<Identified, 'caller' | 'session' | 'verified'> {
  readonly chunks: ChunkReader | null
  readonly atMs: number
}

/**
 * Who sends a body that is too large for memory, by the head alone: what the body itself is gets verified
 * by `identify`, when it is there. Errors: as `identify`; `unsupported_payload` where the head does not say
 * how the signature covers the body, `body_too_large` where the gate would have to read it to describe it.
 */
export async function admit(
  head: WireHead,
  place: Pick<Received, 'named' | 'label'>,
  store: Store,
  nowMs: number,
): Promise<Admitted> {
  const keys = keysOf(store)
  const verified = await verifyHead(head, keys.lookup, nowMs, { presignedMsMax: PRESIGNED_MS_MAX })
  const session = requireOpen(keys.found(), nowMs)
  if (verified === null) throw undeclared()
  requireSessionToken(verified, session)
  if (place.named) requireRow(place.named, verified, head)
  const { request } = addressedBy(place, verified, withoutSignature(head))
  if (!takesBlob(request, verified)) throw tooLargeToRead()
  const isChunked = verified.payloadKind.startsWith('streaming-')
  const chunks = isChunked ? new ChunkReader(head, verified, session.secretAccessKey) : null
  return { caller: callerOf(session), session, verified, chunks, atMs: nowMs }
}

function undeclared(): GatewayError {
  return new GatewayError(
    'unsupported_payload',
    'a body this large needs its hash, or its form, in x-amz-content-sha256; nothing was done',
    'send a smaller body, or let a current AWS SDK or CLI sign it',
  )
}

function tooLargeToRead(): GatewayError {
  return new GatewayError(
    'body_too_large',
    'the gate reads what this operation is sent, and takes no more than 16 MiB of it; nothing was done',
    'send a smaller body',
  )
}

function callerOf(session: SessionRow): Caller {
  return {
    sessionId: session.id,
    agent: session.agent,
    operator: session.operator,
    task: session.task,
    instigators: session.instigators,
    role: { name: session.roleName, arn: session.roleArn },
  }
}

/** The look-up of one request, which remembers whose key was asked for. */
function keysOf(store: Store) {
  let session: SessionRow | undefined
  return {
    async lookup(accessKeyId: string): Promise<string | undefined> {
      session = await store.sessionByAccessKey(accessKeyId)
      // A closed session has no key left; its requests fail here as those of an unknown key would.
      return session?.secretAccessKey ? session.secretAccessKey : undefined
    },
    found: () => session,
  }
}

/** A name that stands for no host of AWS and for no bucket: the gate's own may look like either. */
const OWN_HOST = 'localhost'

/** The request in path style, and the label that stood before its host. */
function addressedBy<Head extends WireHead>(
  { named, label }: Pick<Received, 'named' | 'label'>,
  { service }: VerifiedSignature,
  request: Head,
): { readonly request: Head; readonly hostPrefix: string } {
  if (named) return { request: pathStyle(request, named), hostPrefix: named.hostPrefix }
  const { bucket, hostPrefix } = hostLabel(label, service, request)
  if (bucket === undefined) return { request: onHost(request, OWN_HOST), hostPrefix }
  return { request: pathStyle(request, { host: `${bucket}.${OWN_HOST}`, bucket }), hostPrefix }
}

/** Takes `aws-chunked` framing off, every chunk verified; its trailers become headers. */
function decoded(
  { body, ...head }: WireRequest<ReceivedBody>,
  verified: VerifiedSignature,
  { secretAccessKey }: SessionRow,
): Pick<Identified, 'request' | 'vouchedHeaders'> {
  const { payloadKind, signedHeaders } = verified
  if (!payloadKind.startsWith('streaming-')) {
    requireUnchunked(head)
    return { request: { ...head, body }, vouchedHeaders: signedHeaders }
  }
  const read = unframed(head, body, verified, secretAccessKey)
  const trailers = read.framing.trailers.map(([name]) => name.toLowerCase())
  return {
    request: { ...head, headers: plainHeaders(head, read.framing), body: read.body },
    vouchedHeaders: [...signedHeaders, ...trailers],
  }
}

function unframed(
  head: WireHead,
  body: ReceivedBody,
  verified: VerifiedSignature,
  secretAccessKey: string,
): { readonly framing: ChunkedEnd; readonly body: ReceivedBody } {
  if (isHeld(body)) {
    // Its chunks were verified as they came, before there was anything to identify.
    if (body.framing !== null) return { framing: body.framing, body }
    throw new GatewayError('state_error', 'a chunked body was not read as one', 'report this')
  }
  const framing = readChunkedBody({ ...head, body }, verified, secretAccessKey)
  return { framing, body: framing.payload }
}

/** A body that is announced as chunked and signed as plain is one thing to one reader, one to the next. */
function requireUnchunked(head: WireHead): void {
  if (headerValues(head, 'x-amz-decoded-content-length').length === 0) return
  throw new SigV4Error(
    'malformed_chunks',
    'x-amz-decoded-content-length comes with a body that is not signed as chunks',
  )
}

/**
 * The request without what only its signature consists of: presigned parameters, and the region set of
 * SigV4A. What is described, digested and forwarded never holds them.
 */
function withoutSignature<Head extends WireHead>(request: Head): Head {
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'x-amz-region-set')
  return { ...request, target: withoutPresignedParameters(request.target), headers }
}
