// Makes a Caller from a verified signature: which session's key signed, for whom, under which role.
// A request that does not verify, or whose session is not open, has no caller and goes no further.
import { hostLabel } from '@seconder/aws/endpoints/host-label'
import { onHost, pathStyle, requireRow } from '@seconder/aws/endpoints/host-row'
import { plainRequest, readChunkedBody } from '@seconder/aws/sigv4/chunked-body'
import { withoutPresignedParameters } from '@seconder/aws/sigv4/sign'
import { type VerifiedSignature, verify, verifyHead } from '@seconder/aws/sigv4/verify'
import type { WireRequest } from '@seconder/aws/wire-request'
import { GatewayError } from '../errors.ts'
import type { Received } from '../receive/received.ts'
import type { SessionRow, Store } from '../state/store.ts'
import type { Caller } from './caller.ts'
import { requireSessionToken } from './child-opening.ts'

/** How long a presigned request lasts at most, from its date, whatever it asks for (red team H17). */
export const PRESIGNED_MS_MAX = 15 * 60_000

export interface Identified {
  readonly caller: Caller
  readonly verified: VerifiedSignature
  /** The request with its body decoded: what is described, hashed and forwarded is one and the same. */
  readonly request: WireRequest
  /** Label before the host of AWS that the client addressed, as `sync-`; empty where it named none. */
  readonly hostPrefix: string
  /** Lower-case names of the headers that the caller vouched for. */
  readonly vouchedHeaders: readonly string[]
  readonly session: SessionRow
}

/**
 * Returns who is asking.
 * Errors: SigV4Error of packages/aws; `session_closed` when the session has ended; EndpointError
 * `other_row` when the signature is not for the host that the client believes it talks to, or no host of
 * the service signed for has the label that stood before the gate's own name.
 */
export function identify(received: Received, store: Store, nowMs: number): Identified {
  const keys = keysOf(store)
  const options = { presignedMsMax: PRESIGNED_MS_MAX }
  const verified = verify(received.request, keys.lookup, nowMs, options)
  const session = requireOpen(keys.found(), nowMs)
  requireSessionToken(verified, session)
  const { named } = received
  if (named) requireRow(named, verified, received.request)
  const caller: Caller = {
    sessionId: session.id,
    agent: session.agent,
    operator: session.operator,
    role: { name: session.roleName, arn: session.roleArn },
  }
  const { request, vouchedHeaders } = decoded(received.request, verified, session)
  // From here on a bucket in the host is one in the path: what is described is what is forwarded.
  const { hostPrefix, request: addressed } = addressedBy(
    received,
    verified,
    withoutSignature(request),
  )
  return { caller, verified, session, request: addressed, hostPrefix, vouchedHeaders }
}

/**
 * Throws why a request is refused whatever its body is: as `identify`, with the body left out. A
 * signature is verified where the head names the hash of its body, as S3's clients do.
 */
export function identifyHead(head: WireRequest, store: Store, nowMs: number): void {
  const keys = keysOf(store)
  const options = { presignedMsMax: PRESIGNED_MS_MAX }
  verifyHead(head, keys.lookup, nowMs, options)
  requireOpen(keys.found(), nowMs)
}

/** The look-up of one request, which remembers whose key was asked for. */
function keysOf(store: Store) {
  let session: SessionRow | undefined
  return {
    lookup(accessKeyId: string): string | undefined {
      session = store.sessionByAccessKey(accessKeyId)
      // A closed session has no key left; its requests fail here as those of an unknown key would.
      return session?.secretAccessKey ? session.secretAccessKey : undefined
    },
    found: () => session,
  }
}

function requireOpen(session: SessionRow | undefined, nowMs: number): SessionRow {
  if (session && session.closedAtMs === null && session.expiresAtMs > nowMs) return session
  throw new GatewayError(
    'session_closed',
    'this session has ended',
    'let the operator open a new one: `seconder session open`',
  )
}

/** A name that stands for no host of AWS and for no bucket: the gate's own may look like either. */
const OWN_HOST = 'localhost'

/** The request in path style, and the label that stood before its host. */
function addressedBy(
  { named, label }: Received,
  { service }: VerifiedSignature,
  request: WireRequest,
): Pick<Identified, 'request' | 'hostPrefix'> {
  if (named) return { request: pathStyle(request, named), hostPrefix: named.hostPrefix }
  const { bucket, hostPrefix } = hostLabel(label, service, request)
  if (bucket === undefined) return { request: onHost(request, OWN_HOST), hostPrefix }
  return { request: pathStyle(request, { host: `${bucket}.${OWN_HOST}`, bucket }), hostPrefix }
}

/** Takes `aws-chunked` framing off, every chunk verified; its trailers become headers. */
function decoded(
  request: WireRequest,
  verified: VerifiedSignature,
  { secretAccessKey }: SessionRow,
): Pick<Identified, 'request' | 'vouchedHeaders'> {
  const { payloadKind } = verified
  if (!payloadKind.startsWith('streaming-')) {
    return { request, vouchedHeaders: verified.signedHeaders }
  }
  const chunked = readChunkedBody(request, verified, secretAccessKey)
  const trailers = chunked.trailers.map(([name]) => name.toLowerCase())
  return {
    request: plainRequest(request, chunked),
    vouchedHeaders: [...verified.signedHeaders, ...trailers],
  }
}

/**
 * The request without what only its signature consists of: presigned parameters, and the region set of
 * SigV4A. What is described, digested and forwarded never holds them.
 */
function withoutSignature(request: WireRequest): WireRequest {
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'x-amz-region-set')
  return { ...request, target: withoutPresignedParameters(request.target), headers }
}
