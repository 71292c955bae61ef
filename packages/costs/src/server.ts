// The Cost Explorer endpoint: one signed POST in, one awsJson1_1 answer out. It verifies every
// signature, and what it cannot tell it answers with an error, never with a number.
// Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html

import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Json } from '@seconder/aws/call'
import { SigV4Error } from '@seconder/aws/sigv4/errors'
import { verify } from '@seconder/aws/sigv4/verify'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { headerValues, type WireHeader, type WireRequest } from '@seconder/aws/wire-request'
import type { Adjustments } from './adjustments.ts'
import { readCostQuery } from './cost-query.ts'
import { CostApiError, type CostApiErrorCode, quoted } from './errors.ts'
import { operationState, TARGET_PREFIX } from './operations.ts'
import { answerCostQuery } from './query.ts'
import type { CostStore } from './store.ts'

export interface CostServerOptions {
  /** A store, or what fetches the export first and then asks one; if that fails, so does this. */
  readonly store: Pick<CostStore, 'snapshot'>
  /** The secret access key of an access key id, or undefined. */
  readonly credentials: (accessKeyId: string) => string | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Read at every question. If it fails the question fails: costs without it would be wrong. */
  readonly adjustments?: () => Promise<Adjustments>
  /** Told of every failure that the caller sees only as InternalFailure. */
  readonly report?: (error: unknown) => void
  /** Groups on one page of an answer. */
  readonly pageGroups?: number
}

export interface CostReply {
  readonly status: number
  readonly headers: readonly WireHeader[]
  readonly body: Uint8Array
}

export type CostHandler = (request: WireRequest) => Promise<CostReply>

export const BODY_BYTES_MAX = 1024 * 1024
/** Deeper than FILTER_DEPTH_MAX expressions need, which take three levels each at most. */
export const BODY_DEPTH_MAX = 40
/** Questions answered at once; the next is told to come back. */
export const QUESTIONS_MAX = 16
/** Sockets open at once; the next is closed. Each holds one body of at most BODY_BYTES_MAX. */
export const CONNECTIONS_MAX = 256
export const ADJUSTMENTS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const HEADERS_TIMEOUT_MS = 10_000

/**
 * The handler that answers one request; it never throws. Errors on the wire: see CostApiErrorCode.
 * LimitExceededException past QUESTIONS_MAX is the only one worth a retry besides InternalFailure.
 */
export function costHandler(options: CostServerOptions): CostHandler {
  const tokenKey = randomBytes(32)
  let questions = 0
  return async (request) => {
    const requestId = randomUUID()
    try {
      if (questions >= QUESTIONS_MAX) {
        throw new CostApiError('LimitExceededException', 'too many questions at once')
      }
      questions += 1
      try {
        return reply(200, requestId, await answer(request, options, tokenKey))
      } finally {
        questions -= 1
      }
    } catch (error) {
      return errorReply(error, requestId, options.report)
    }
  }
}

async function answer(
  request: WireRequest,
  options: CostServerOptions,
  tokenKey: Uint8Array,
): Promise<object> {
  if (request.body.byteLength > BODY_BYTES_MAX) throw tooLarge()
  const nowMs = options.now()
  const caller = checkSignature(request, options, nowMs)
  checkOperation(request)
  const query = readCostQuery(readBody(request.body), nowMs)
  const adjustments = await readAdjustments(options.adjustments)
  return answerCostQuery(options.store, query, {
    nowMs,
    adjustments,
    caller,
    tokenKey,
    ...(options.pageGroups === undefined ? {} : { pageGroups: options.pageGroups }),
  })
}

async function readAdjustments(provider: CostServerOptions['adjustments']): Promise<Adjustments> {
  if (provider === undefined) return new Map()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, refuse) => {
    const error = new Error(`the adjustments did not come in ${ADJUSTMENTS_TIMEOUT_MS} ms`)
    timer = setTimeout(() => refuse(error), ADJUSTMENTS_TIMEOUT_MS)
  })
  try {
    return await Promise.race([provider(), late])
  } finally {
    clearTimeout(timer)
  }
}

function checkSignature(request: WireRequest, options: CostServerOptions, nowMs: number): string {
  const verified = verify(request, options.credentials, nowMs)
  if (verified.service !== 'ce') {
    throw new CostApiError(
      'InvalidSignatureException',
      "Credential should be scoped to correct service: 'ce'.",
    )
  }
  if (verified.payloadSha256 === null) {
    throw new CostApiError('InvalidSignatureException', 'the signature must cover the body')
  }
  return verified.accessKeyId
}

function checkOperation(request: WireRequest): void {
  if (request.method !== 'POST' || request.target !== '/') {
    throw new CostApiError('UnknownOperationException', 'Cost Explorer is asked with POST /')
  }
  const [target = '', ...more] = headerValues(request, 'x-amz-target')
  const [prefix, name, ...rest] = target.trim().split('.')
  const isOne = more.length === 0 && rest.length === 0 && prefix === TARGET_PREFIX
  const state = isOne && name !== undefined ? operationState(name) : 'unknown'
  if (state === 'unknown') {
    throw new CostApiError('UnknownOperationException', `${quoted(target)} is not an operation`)
  }
  if (state === 'not-answered') {
    throw new CostApiError(
      'NotImplementedException',
      `${name} is an operation of Cost Explorer that this server does not answer; ` +
        'it answers GetCostAndUsage',
    )
  }
  const [contentType = ''] = headerValues(request, 'content-type')
  if (contentType.split(';', 1)[0]?.trim().toLowerCase() !== 'application/x-amz-json-1.1') {
    throw new CostApiError('SerializationException', 'the content type is not x-amz-json-1.1')
  }
}

function readBody(body: Uint8Array): Json {
  try {
    return parseStrictJson(body, { maxBytes: BODY_BYTES_MAX, maxDepth: BODY_DEPTH_MAX })
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error
    throw new CostApiError('SerializationException', `the body is not JSON: ${error.message}`)
  }
}

function tooLarge(): CostApiError {
  return new CostApiError(
    'RequestEntityTooLargeException',
    `the body is larger than ${BODY_BYTES_MAX} bytes`,
  )
}

function reply(status: number, requestId: string, body: object): CostReply {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const headers: readonly WireHeader[] = [
    ['content-type', 'application/x-amz-json-1.1'],
    ['x-amzn-requestid', requestId],
    ['content-length', String(bytes.byteLength)],
  ]
  return { status, headers, body: bytes }
}

// Source: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/CommonErrors.html
function signatureErrorCode(error: SigV4Error): CostApiErrorCode {
  switch (error.code) {
    case 'missing_signature':
      return 'MissingAuthenticationTokenException'
    case 'malformed_authorization':
      return 'IncompleteSignatureException'
    case 'unknown_access_key':
      return 'UnrecognizedClientException'
    default:
      return 'InvalidSignatureException'
  }
}

function errorReply(
  error: unknown,
  requestId: string,
  report: ((error: unknown) => void) | undefined,
): CostReply {
  if (error instanceof CostApiError) {
    // Both spellings: modelled errors say Message, the CLI prints either.
    const { code, message } = error
    return reply(error.status, requestId, { __type: code, Message: message, message })
  }
  if (error instanceof SigV4Error) {
    const message = `${error.message}: ${error.help}`
    return errorReply(new CostApiError(signatureErrorCode(error), message), requestId, report)
  }
  report?.(error)
  const words =
    'The request processing has failed because of an unknown error, exception or failure.'
  return errorReply(new CostApiError('InternalFailure', words), requestId, report)
}

/** An HTTP server around `costHandler`, not yet listening. */
export function createCostServer(options: CostServerOptions): Server {
  const handle = costHandler(options)
  const server = createServer((incoming, outgoing) => {
    serve(handle, options.now, incoming, outgoing).catch((error: unknown) => {
      // Only a broken connection ends here: there is no one left to answer.
      options.report?.(error)
      outgoing.destroy()
    })
  })
  server.maxConnections = CONNECTIONS_MAX
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.headersTimeout = HEADERS_TIMEOUT_MS
  return server
}

async function serve(
  handle: CostHandler,
  now: () => number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await readIncoming(incoming)
  const answered =
    body === undefined
      ? errorReply(tooLarge(), randomUUID(), undefined)
      : await handle({
          method: incoming.method ?? '',
          target: incoming.url ?? '',
          headers: wireHeaders(incoming.rawHeaders),
          body,
        })
  // Clients set their clock by this header (aws-sdk-js-v3, systemClockOffset): it must be the clock
  // that signatures are checked against.
  outgoing.setHeader('date', new Date(now()).toUTCString())
  for (const [name, value] of answered.headers) outgoing.setHeader(name, value)
  // A body that was not read to its end cannot be followed by another request.
  if (body === undefined) outgoing.setHeader('connection', 'close')
  outgoing.statusCode = answered.status
  outgoing.end(answered.body)
}

function wireHeaders(raw: readonly string[]): readonly WireHeader[] {
  const headers: WireHeader[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) headers.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return headers
}

/** The body, or undefined past BODY_BYTES_MAX, of which at most that much is held. */
async function readIncoming(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Kept open on return: the refusal still has to be written to the same socket.
  const body: AsyncIterable<Buffer> = incoming.iterator({ destroyOnReturn: false })
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
