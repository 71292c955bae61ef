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

/** Region and service of the credential scope, in the Authorization header or a presigned URL. */
export function scopeOf(request: WireRequest): CallScope {
  const [, value = ''] =
    request.headers.find(([name]) => name.toLowerCase() === 'authorization') ?? []
  const credential = /Credential=([^,&]+)/.exec(value || request.target)?.[1] ?? ''
  const [, , region = '', service = ''] = decodeURIComponent(credential).split('/')
  return { region, service }
}
