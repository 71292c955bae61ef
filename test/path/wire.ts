// Sends raw bytes to the AWS door, signed or spoilt as a test likes: what no SDK would send.
import http from 'node:http'
import { sign } from '@seconder/aws/sigv4/sign'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import type { Keys } from './harness.ts'

export interface RawCall {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly WireHeader[]
  readonly body?: string
  readonly service: string
  readonly region?: string
  /** Instead of the gate's own. */
  readonly host?: string
  /** Header lines added after signing. */
  readonly unsigned?: readonly WireHeader[]
  /** Replaces the payload hash in the signature, e.g. `UNSIGNED-PAYLOAD`. */
  readonly payloadSha256?: string
  readonly signedAtMs?: number
}

export interface RawAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export function signed(keys: Keys, call: RawCall): WireRequest {
  const host = call.host ?? new URL(keys.endpoint).host
  const body = new TextEncoder().encode(call.body ?? '')
  const request: WireRequest = {
    method: call.method ?? 'POST',
    target: call.target ?? '/',
    headers: [['host', host], ...(call.headers ?? [])],
    body,
  }
  const scope = { service: call.service, region: call.region ?? 'eu-west-1' }
  const options = call.payloadSha256 === undefined ? {} : { payloadSha256: call.payloadSha256 }
  const headers = sign(request, keys, scope, call.signedAtMs ?? Date.now(), options)
  return { ...request, headers: [...headers, ...(call.unsigned ?? [])] }
}

export function send(keys: Keys, request: WireRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(keys.endpoint)
  return new Promise((resolve, reject) => {
    const headers = request.headers.flatMap(([name, value]) => [
      name,
      value,
    ]) as unknown as http.OutgoingHttpHeaders
    const outgoing = http.request({
      host: hostname,
      port,
      method: request.method,
      path: request.target,
      headers,
      setHost: false,
    })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    outgoing.end(request.body)
  })
}

export function rawCall(keys: Keys, call: RawCall): Promise<RawAnswer> {
  return send(keys, signed(keys, call))
}

export function dynamodbCall(
  operation: string,
  input: unknown,
  more: Partial<RawCall> = {},
): RawCall {
  return {
    service: 'dynamodb',
    headers: [
      ['content-type', 'application/x-amz-json-1.0'],
      ['x-amz-target', `DynamoDB_20120810.${operation}`],
      ...(more.headers ?? []),
    ],
    body: JSON.stringify(input),
    ...Object.fromEntries(Object.entries(more).filter(([name]) => name !== 'headers')),
  }
}

export function queryCall(
  service: string,
  fields: Record<string, string>,
  more: Partial<RawCall> = {},
): RawCall {
  return {
    service,
    headers: [['content-type', 'application/x-www-form-urlencoded; charset=utf-8']],
    body: new URLSearchParams(fields).toString(),
    ...more,
  }
}
