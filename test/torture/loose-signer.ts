// A careless signer: SigV4 over whatever bytes there are, written from AWS's description of it and sharing
// nothing with the gate's own. What an attacker would use for a request that no SDK signs.
import { createHash, createHmac } from 'node:crypto'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import type { Keys } from '../path/harness.ts'

const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string): Buffer =>
  createHmac('sha256', key).update(data, 'utf8').digest()

/**
 * The request with date, payload hash and Authorization.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signLoosely(
  request: WireRequest,
  keys: Keys,
  { service, region }: { readonly service: string; readonly region: string },
  nowMs: number,
  declared = sha256(request.body),
): WireRequest {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = time.slice(0, 8)
  const kept = request.headers.filter(([name]) => name !== 'x-amz-content-sha256')
  const headers: WireHeader[] = [...kept, ['x-amz-date', time], ['x-amz-content-sha256', declared]]
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    values.set(lower, [...(values.get(lower) ?? []), value.trim().replace(/ +/g, ' ')])
  }
  const names = [...values.keys()].sort()
  const [path = '', ...rest] = request.target.split('?')
  const query = rest
    .join('?')
    .split('&')
    .filter(Boolean)
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
  const canonical = [
    request.method,
    service === 's3' ? path : encodeURI(path),
    query.sort().join('&'),
    ...names.map((name) => `${name}:${(values.get(name) ?? []).join(',')}`),
    '',
    names.join(';'),
    declared,
  ].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`
  const dated = hmac(`AWS4${keys.secretAccessKey}`, date)
  const key = hmac(hmac(hmac(dated, region), service), 'aws4_request')
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${hmac(key, text).toString('hex')}`
  return { ...request, headers: [...headers, ['authorization', authorization]] }
}
