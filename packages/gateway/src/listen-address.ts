// Where a gate listens: HOST:PORT of this host alone, for it has no TLS of its own.
import { z } from 'zod'
import { GatewayError } from './errors.ts'

export const LISTEN = z.string().regex(/^[^\s:]+:\d{1,5}$/, 'write HOST:PORT')

export interface Address {
  readonly host: string
  readonly port: number
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/** Errors: `invalid_config` for what is no HOST:PORT, or is not of this host alone. */
export function loopback(text: string): Address {
  const at = text.lastIndexOf(':')
  const host = text.slice(0, at)
  const port = Number(text.slice(at + 1))
  if (at <= 0 || !Number.isInteger(port) || port > 65_535) {
    throw new GatewayError(
      'invalid_config',
      `\`${text}\` is not HOST:PORT`,
      'write e.g. 127.0.0.1:8787',
    )
  }
  if (LOOPBACK.has(host)) return { host, port }
  throw new GatewayError(
    'invalid_config',
    `listening on \`${host}\` needs tls, which this version does not have`,
    'listen on 127.0.0.1, and put the gate on the same host as its callers',
  )
}
