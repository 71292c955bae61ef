// The one endpoint that is AWS for the lab. Verifies every request against the lab's own keys,
// takes service and region from the verified scope, and answers errors in the protocol of the
// request.
import { randomUUID } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { authenticate } from './authentication.ts'
import type { AnswerProtocol, CloudReply, CloudRequest, CloudService } from './cloud-request.ts'
import { CloudError } from './errors.ts'
import { type KeyTable, REGIONS } from './principal.ts'
import type { TrailCall } from './trail.ts'
import { writeXml } from './xml.ts'

export const BODY_BYTES_MAX = 64 * 1024 * 1024
/** Requests remembered for tests and probes; the oldest go first. */
export const RECORDED_REQUESTS_MAX = 10_000
const FAULTS_MAX = 100

/** One request as the lab remembers it. No body, no header. */
export interface RecordedRequest {
  readonly atMs: number
  readonly accessKeyId: string
  /** The role behind the key, or `unknown`. */
  readonly role: string
  readonly service: string
  readonly operation: string
  readonly region: string
  readonly status: number
}

export interface FrontOptions {
  readonly keys: KeyTable
  /** By signing name. */
  readonly services: ReadonlyMap<string, CloudService>
  readonly now: () => number
  /** Told of every request whose sender is known, once it is answered. */
  readonly onCall?: (call: TrailCall) => void
}

export interface Front {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  readonly requests: readonly RecordedRequest[]
  /** Faults of the lab itself, which clients saw as InternalFailure. Empty in a sound lab. */
  readonly faults: readonly unknown[]
  close(): Promise<void>
}

/** What of a request is known so far; it fills as the request is read. */
interface Progress {
  accessKeyId: string
  role: string
  service: string
  operation: string
  region: string
  protocol: AnswerProtocol
  /** Null until its signature is verified. */
  request: CloudRequest | null
}

/** Starts the front on an ephemeral port of 127.0.0.1. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const requests: RecordedRequest[] = []
  const faults: unknown[] = []
  const record = (progress: Progress, status: number, atMs: number) => {
    if (requests.length >= RECORDED_REQUESTS_MAX) requests.shift()
    const { protocol: _, request: _request, ...known } = progress
    requests.push({ atMs, ...known, status })
  }
  const listener: RequestListener = (incoming, response) => {
    const id = randomUUID()
    void respond(incoming, id, options, record, faults).then(
      (reply) => send(response, reply, id, incoming.method === 'HEAD'),
      (error: unknown) => {
        // Only a lost connection or a fault of the lab comes here; there is nobody to answer.
        response.destroy(error instanceof Error ? error : undefined)
      },
    )
  }
  const server = createServer({ keepAliveTimeout: 5_000 }, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    faults,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

async function respond(
  incoming: IncomingMessage,
  id: string,
  options: FrontOptions,
  record: (progress: Progress, status: number, atMs: number) => void,
  faults: unknown[],
): Promise<CloudReply> {
  const nowMs = options.now()
  const progress = claimed(incoming)
  let refused: CloudError | null = null
  const reply = await answer(incoming, id, options, progress, nowMs).catch((error: unknown) => {
    if (!(error instanceof CloudError) && faults.length < FAULTS_MAX) faults.push(error)
    refused = error instanceof CloudError ? error : null
    return errorReply(error, progress.protocol, id)
  })
  record(progress, reply.status, nowMs)
  const { request, service, operation } = progress
  if (request !== null) options.onCall?.({ request, service, operation, error: refused })
  return reply
}

/** The service and key a request claims, unverified: only to choose the words of a refusal. */
function claimed(incoming: IncomingMessage): Progress {
  const { authorization = '' } = incoming.headers
  const query = new URLSearchParams((incoming.url ?? '').split('?', 2)[1] ?? '')
  const credential =
    /Credential=([^,\s]+)/.exec(authorization)?.[1] ?? query.get('X-Amz-Credential') ?? ''
  const [accessKeyId = '', , region = '', service = ''] = credential.split('/')
  const isForm = incoming.headers['content-type']?.startsWith('application/x-www-form') === true
  const isXml =
    service === 's3' || (service === '' && incoming.headers['x-amz-target'] === undefined)
  return {
    accessKeyId: accessKeyId.slice(0, 128),
    role: 'unknown',
    service: service.slice(0, 64),
    operation: 'unknown',
    region: region.slice(0, 64),
    protocol: isForm || query.has('Action') ? 'awsQuery' : isXml ? 's3' : 'awsJson',
    request: null,
  }
}

async function answer(
  incoming: IncomingMessage,
  id: string,
  options: FrontOptions,
  progress: Progress,
  nowMs: number,
): Promise<CloudReply> {
  const wire = await readWire(incoming)
  const { principal, signature, content } = authenticate(
    wire,
    options.keys,
    nowMs,
    progress.protocol,
  )
  progress.role = principal.role.name
  const service = options.services.get(signature.service)
  if (service === undefined) throw unknownService(progress.protocol, signature.service)
  progress.protocol = service.protocol
  if (!REGIONS.includes(signature.region)) {
    const message = `Credential should be scoped to a valid region, one of ${REGIONS.join(', ')}`
    throw new CloudError(
      service.protocol === 's3' ? 'AuthorizationHeaderMalformed' : 'InvalidSignatureException',
      message,
    )
  }
  const [path = '/', query = ''] = splitTarget(wire.target)
  const request: CloudRequest = {
    id,
    principal,
    region: signature.region,
    method: wire.method,
    host: (incoming.headers.host ?? '').toLowerCase().replace(/:\d+$/, ''),
    path,
    query: [...new URLSearchParams(query)],
    headers: singleHeaders(wire),
    content,
    nowMs,
  }
  progress.request = request
  progress.operation = service.operation(request)
  return await service.answer(request, progress.operation)
}

/** InvalidAction and its like: a service the lab lacks is never answered by another. */
function unknownService(protocol: AnswerProtocol, name: string): CloudError {
  const message = `the lab's cloud has no service \`${name}\``
  if (protocol === 'awsQuery') return new CloudError('InvalidAction', message, 400)
  if (protocol === 's3') return new CloudError('NotImplemented', message, 501)
  return new CloudError('UnknownOperationException', message, 400)
}

function splitTarget(target: string): readonly [string, string] {
  const at = target.indexOf('?')
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}

/**
 * InvalidRequest for a repeated header: it would have two readings, and no client of AWS sends one.
 */
function singleHeaders(wire: WireRequest): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of wire.headers) {
    const lower = name.toLowerCase()
    if (headers.has(lower)) throw new CloudError('InvalidRequest', 'a header came twice')
    headers.set(lower, value.trim())
  }
  return headers
}

async function readWire(incoming: IncomingMessage): Promise<WireRequest> {
  const headers: WireHeader[] = []
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.push([incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? ''])
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    // Past the maximum the rest is read and dropped, so that the client hears the answer.
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk)
  }
  if (bytes > BODY_BYTES_MAX) {
    throw new CloudError('RequestEntityTooLarge', 'the body is past the limit of the lab', 413)
  }
  return {
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    headers,
    body: Buffer.concat(chunks),
  }
}

function send(response: ServerResponse, reply: CloudReply, id: string, isHead: boolean): void {
  const length = isHead || reply.status === 304 ? {} : { 'content-length': reply.body.length }
  response.writeHead(reply.status, { 'x-amzn-requestid': id, ...length, ...reply.headers })
  if (isHead || reply.status === 304) response.end()
  else response.end(reply.body)
}

/** The answer of an error in one protocol; a fault of the lab itself shows no inner text. */
function errorReply(error: unknown, protocol: AnswerProtocol, id: string): CloudReply {
  const known =
    error instanceof CloudError
      ? error
      : new CloudError('InternalFailure', "the lab's cloud failed", 500)
  const { code, message, status } = known
  if (protocol === 'awsJson') {
    return {
      status,
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': code },
      body: Buffer.from(JSON.stringify({ __type: code, message })),
    }
  }
  const type = status < 500 ? 'Sender' : 'Receiver'
  const body =
    protocol === 's3'
      ? writeXml('Error', { Code: code, Message: message, RequestId: id })
      : writeXml(
          'ErrorResponse',
          { Error: { Type: type, Code: code, Message: message }, RequestId: id },
          'http://webservices.amazon.com/AWSFault/2005-15-09',
        )
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(body) }
}
