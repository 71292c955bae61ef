// Forwards one call and makes its Outcome. Before this stage runs its intent is durable; after it, an
// upstream's answer is the only thing called `succeeded` or `failed`: silence is `unknown`.
import { endingOf } from '@seconder/aws/asynchronous'
import type { WireHead, WireHeader, WireRequest } from '@seconder/aws/wire-request'
import type { Action } from '../describe/action.ts'
import { GatewayError } from '../errors.ts'
import type { ReceivedBody } from '../receive/received.ts'
import type { Outcome } from './outcome.ts'
import { membersWithout } from './partial.ts'
import { type Scope, type SendUpstream, type UpstreamAnswer, UpstreamSilence } from './upstream.ts'

/** Bytes of a write's answer held so that its outcome is durable before the caller has it. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** Unsigned request headers that are passed on; everything else unsigned is dropped (red team H1). */
const FORWARDED_UNSIGNED = new Set([
  'accept',
  'accept-encoding',
  'content-length',
  'user-agent',
  'amz-sdk-invocation-id',
  'amz-sdk-request',
])

/**
 * Signed headers that are passed on, with every `x-amz-` and `x-amzn-` one, which `describe` reads or
 * refuses. A signed stranger is dropped: what is described is what is sent, and a header that some
 * server reads as another method or route is in no description.
 * Source: Amazon S3 API Reference, GetObject and PutObject (request headers); RFC 9110 sections 8, 13.
 */
const FORWARDED_SIGNED = new Set([
  'host',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'range',
  'smithy-protocol',
])

/** Headers of one hop. Source: RFC 9110 section 7.6.1. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export interface Executed {
  readonly outcome: Outcome
  /** The upstream's answer, or null after silence. */
  readonly answer: Answer | null
}

export interface Answer {
  readonly status: number
  readonly headers: readonly WireHeader[]
  readonly body: Uint8Array
}

/** Returns the request as it goes upstream, which is also the one that is described. */
export function forwarded<Request extends WireHead>(
  request: Request,
  signedHeaders: readonly string[],
): Request {
  const signed = new Set(signedHeaders)
  const headers = request.headers.filter(([name]) => {
    const lower = name.toLowerCase()
    if (HOP_BY_HOP.has(lower)) return false
    if (FORWARDED_UNSIGNED.has(lower)) return true
    return signed.has(lower) && (FORWARDED_SIGNED.has(lower) || /^x-amzn?-/.test(lower))
  })
  return { ...request, headers }
}

/** Forwards a write and reads its whole answer. Never rejects for what the upstream did or did not do. */
export async function execute(
  send: SendUpstream,
  request: WireRequest<ReceivedBody>,
  scope: Scope,
  action: Action,
): Promise<Executed> {
  try {
    const answer = await send(request, scope)
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > ANSWER_BYTES_MAX) throw new UpstreamSilence('the answer is over the limit', true)
      chunks.push(chunk)
    }
    const body = Buffer.concat(chunks)
    return {
      outcome: outcomeOf(answer.status, answer.headers, body, action),
      answer: { status: answer.status, headers: endToEnd(answer.headers), body },
    }
  } catch (cause) {
    // A GatewayError is thrown before anything is sent: no host, or no session any more.
    if (cause instanceof GatewayError || (cause instanceof UpstreamSilence && !cause.sent)) {
      const outcome = {
        result: 'failed',
        status: 0,
        errorCode: 'NotSent',
        upstreamRequestId: null,
      } as const
      return { outcome, answer: null }
    }
    // Once a byte has left, only the upstream knows: a broken answer is silence too.
    const detail = cause instanceof UpstreamSilence ? cause.message : 'the answer broke off'
    return { outcome: { result: 'unknown', detail }, answer: null }
  }
}

/**
 * The answer to a read, when its entry is durable; without the entry nobody gets it, and it is let go of.
 */
export async function whenRecorded(
  recorded: Promise<unknown>,
  sent: Promise<UpstreamAnswer>,
): Promise<UpstreamAnswer> {
  try {
    const [, answer] = await Promise.all([recorded, sent])
    return answer
  } catch (cause) {
    sent.then(
      ({ body }) => body.destroy(),
      () => undefined, // there is nothing to let go of
    )
    throw cause
  }
}

/** Response headers without those of the hop between gate and upstream. */
export function endToEnd(headers: readonly WireHeader[]): WireHeader[] {
  return headers.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()))
}

function outcomeOf(
  status: number,
  headers: readonly WireHeader[],
  body: Uint8Array,
  action: Action,
): Outcome {
  const upstreamRequestId =
    headerOf(headers, 'x-amzn-requestid') ?? headerOf(headers, 'x-amz-request-id') ?? null
  if (status >= 200 && status < 300 && !saysError(action.operation, body)) {
    const missing = membersWithout(action, headers, body)
    if (missing !== null) return { result: 'partial', status, ...missing, upstreamRequestId }
    const result = endingOf(action.operation) === undefined ? 'succeeded' : 'accepted'
    return { result, status, upstreamRequestId }
  }
  return { result: 'failed', status, errorCode: errorCodeOf(headers, body), upstreamRequestId }
}

/**
 * Copies may fail after their 200 was sent; the body then is an error.
 * Source: Amazon S3 API Reference, CopyObject and CompleteMultipartUpload ("200 OK response").
 */
function saysError(operation: string, body: Uint8Array): boolean {
  if (!/^s3:(CopyObject|UploadPartCopy|CompleteMultipartUpload)$/.test(operation)) return false
  return /^\s*(<\?xml[^>]*>)?\s*<Error>/.test(new TextDecoder().decode(body.subarray(0, 4096)))
}

/** The upstream's error code: a name of AWS, cut to what such a name can hold. */
function errorCodeOf(headers: readonly WireHeader[], body: Uint8Array): string {
  const text = new TextDecoder().decode(body.subarray(0, 4096))
  const found =
    headerOf(headers, 'x-amzn-errortype') ??
    /"__type"\s*:\s*"([^"]+)"/.exec(text)?.[1] ??
    /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ??
    'Unknown'
  const name = found.split(':', 1)[0]?.split('#').at(-1) ?? 'Unknown'
  return /^[A-Za-z0-9._-]{1,100}$/.test(name) ? name : 'Unknown'
}

function headerOf(headers: readonly WireHeader[], name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1]
}
