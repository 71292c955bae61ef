// Reads a captured request file into a WireRequest and its credential scope. For tests only.

import { readFileSync } from 'node:fs'
import type { CallScope } from './describe-call.ts'
import type { WireHeader, WireRequest } from './wire-request.ts'

export function readCapture(path: string | URL): WireRequest {
  const bytes = readFileSync(path)
  const headEnd = bytes.indexOf('\r\n\r\n')
  const [line = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const [method = '', target = ''] = line.split(' ')
  const headers = lines.map((text): WireHeader => {
    const colon = text.indexOf(':')
    return [text.slice(0, colon), text.slice(colon + 1)]
  })
  return { method, target, headers, body: bytes.subarray(headEnd + 4) }
}

/** Region and service of the Authorization header's credential scope. */
export function scopeOf(request: WireRequest): CallScope {
  const [, value = ''] =
    request.headers.find(([name]) => name.toLowerCase() === 'authorization') ?? []
  const match = /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(value)
  return { region: match?.[1] ?? '', service: match?.[2] ?? '' }
}
