// Reads a raw HTTP/1.1 request from a file into a WireRequest, for tests. Only what captures need:
// no transfer encoding, and folded header lines unfolded as RFC 9112 section 5.2 says.

import type { WireHeader, WireRequest } from '../wire-request.ts'

/** The request of one capture; text is taken as UTF-8, bytes as they are. */
export function parseRawRequest(capture: string | Uint8Array): WireRequest {
  const bytes = Buffer.from(capture)
  const { end, bodyStart } = headEnd(bytes)
  const [requestLine, ...lines] = bytes
    .subarray(0, end)
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '')
  const match = /^([A-Z]+) (.*) HTTP\/1\.1$/s.exec(requestLine ?? '')
  if (match === null) throw new Error('the capture has no request line')
  const headers: [string, string][] = []
  for (const line of lines) {
    const last = headers.at(-1)
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += ` ${line.trim()}`
    else headers.push([line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)])
  }
  return {
    method: match[1] ?? '',
    target: match[2] ?? '',
    headers: headers satisfies WireHeader[],
    body: Uint8Array.from(bytes.subarray(bodyStart)),
  }
}

function headEnd(bytes: Buffer): { end: number; bodyStart: number } {
  for (const mark of ['\r\n\r\n', '\n\n']) {
    const end = bytes.indexOf(mark)
    if (end >= 0) return { end, bodyStart: end + mark.length }
  }
  return { end: bytes.length, bodyStart: bytes.length }
}
