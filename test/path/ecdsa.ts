// Signs raw requests by SigV4A with the keys of a session. No signer of AWS's SDKs for it is installed
// here; packages/aws checks the derivation and the texts against AWS's own suite.
import { createPrivateKey, createSign, hash } from 'node:crypto'
import { amzDate } from '@seconder/aws/sigv4/amz-date'
import { canonicalRequest, valuesByName } from '@seconder/aws/sigv4/canonical-request'
import { ecdsaPrivateKey, ecdsaPublicKey, ecdsaStringToSign } from '@seconder/aws/sigv4/sigv4a'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import type { Keys } from './harness.ts'

export interface EcdsaCall {
  readonly method: string
  /** A path without a query. */
  readonly target: string
  readonly service: string
  readonly regionSet: string
  readonly nowMs?: number
}

/** The request with a signature of its own each time, over the same text where `nowMs` is the same. */
export function ecdsaSigned(keys: Keys, call: EcdsaCall): WireRequest {
  const { method, target, service } = call
  const time = amzDate(call.nowMs ?? Date.now())
  const payloadHash = hash('sha256', '', 'hex')
  const headers: WireHeader[] = [
    ['host', new URL(keys.endpoint).host],
    ['x-amz-content-sha256', payloadHash],
    ['x-amz-date', time],
    ['x-amz-region-set', call.regionSet],
  ]
  const signedHeaders = headers.map(([name]) => name)
  const canonical = canonicalRequest({
    method,
    path: target,
    query: [],
    headers: valuesByName(headers),
    signedHeaders,
    payloadHash,
    service,
  })
  const scope = { date: time.slice(0, 8), service }
  const text = ecdsaStringToSign(canonical, time, scope)
  const signature = createSign('sha256').update(text).sign(privateKey(keys), 'hex')
  const authorization =
    `AWS4-ECDSA-P256-SHA256 Credential=${keys.accessKeyId}/${scope.date}/${service}/aws4_request, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  headers.push(['authorization', authorization])
  return { method, target, headers, body: new Uint8Array() }
}

function privateKey({ accessKeyId, secretAccessKey }: Keys) {
  const jwk = ecdsaPublicKey(accessKeyId, secretAccessKey).export({ format: 'jwk' })
  const d = ecdsaPrivateKey(accessKeyId, secretAccessKey).toString('base64url')
  return createPrivateKey({ key: { ...jwk, d }, format: 'jwk' })
}
