// Reads a captured raw HTTP request from bytes. Nothing is verified here: what it claims is its own.
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { CommandFailure, EXIT } from './failure.ts'

/** A raw HTTP/1.1 request; line ends may be LF or CRLF, the body is the rest. */
export function parseRawRequest(bytes: Buffer): WireRequest {
  const crlf = bytes.indexOf('\r\n\r\n')
  const lf = bytes.indexOf('\n\n')
  const useCrlf = crlf !== -1 && (lf === -1 || crlf < lf)
  const headEnd = useCrlf ? crlf : lf
  const head = bytes.subarray(0, headEnd === -1 ? bytes.length : headEnd).toString('latin1')
  const body = headEnd === -1 ? new Uint8Array() : bytes.subarray(headEnd + (useCrlf ? 4 : 2))
  const [requestLine = '', ...lines] = head.split(/\r?\n/)
  const [method = '', target = '', version = ''] = requestLine.split(' ')
  if (!/^[A-Z]+$/.test(method) || !target.startsWith('/') || !version.startsWith('HTTP/1.')) {
    throw new CommandFailure(
      'usage',
      'the first line is not METHOD TARGET HTTP/1.1',
      'see `seconder describe aws --help`',
      EXIT.usage,
    )
  }
  const headers = lines
    .filter((line) => line !== '')
    .map((line): WireHeader => {
      const colon = line.indexOf(':')
      if (colon <= 0) throw new CommandFailure('usage', 'a header line has no name', '', EXIT.usage)
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    })
  return { method, target, headers, body: new Uint8Array(body) }
}

/** Service and region of the credential scope, as claimed: here nothing is verified. */
export function claimedScope({ target, headers }: WireRequest): {
  service: string
  region: string
} {
  const authorization = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? ''
  const presigned = /[?&]X-Amz-Credential=([^&]+)/.exec(target)?.[1] ?? ''
  const credential =
    /Credential=([^,\s]+)/.exec(authorization)?.[1] ?? decodeURIComponent(presigned)
  const [, , region, service] = credential.split('/')
  if (!region || !service) {
    throw new CommandFailure(
      'usage',
      'the request has no credential scope',
      'capture a signed request',
      EXIT.usage,
    )
  }
  return { service, region }
}
