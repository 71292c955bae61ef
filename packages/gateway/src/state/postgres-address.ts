// Makes the address of a PostgreSQL server from its URL: what the driver needs, and words that hold no
// password. A member of the URL that is not known here is refused: it may have been meant to protect.
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { GatewayError } from '../errors.ts'
import { Secret } from '../lib/secret.ts'

export interface PostgresAddress {
  /** `postgres://HOST:PORT/DATABASE`, for people. */
  readonly shown: string
  /** A directory where the server listens on a socket of the host. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: Secret | null
  readonly tls: false | ConnectionOptions
  /** Connections of each kind (reads, changes) at most. */
  readonly connectionsMax: number
}

const DEFAULT_PORT = 5432
const CONNECTIONS = { fallback: 8, most: 100 }
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])
const MEMBERS = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'connections']
/** `require` of libpq checks no certificate; who asks for TLS is given one that is checked. */
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const

/**
 * Returns the address in `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...`. Members: `sslmode`
 * (`disable`, `verify-ca`, `verify-full`, and `require`, which is taken as `verify-full`), `sslrootcert`,
 * `sslcert`, `sslkey` (paths of PEM files), `host` (the directory of a socket), `connections` (1 to 100).
 * Without `sslmode` TLS is verified in full, except on this host. Errors: `invalid_config`.
 * Source: https://www.postgresql.org/docs/18/libpq-connect.html, sections 32.1.1.2 and 32.1.2
 */
export function parsePostgresUrl(url: string): PostgresAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw invalid('it is not a URL', 'write postgres://USER:PASSWORD@HOST:PORT/DATABASE')
  }
  const members = parsed.searchParams
  for (const name of members.keys()) {
    if (!MEMBERS.includes(name) || members.getAll(name).length > 1) {
      throw invalid(`\`${name}\` is not known, or said twice`, `known are ${MEMBERS.join(', ')}`)
    }
  }
  const host = members.get('host') ?? decoded(parsed.hostname).replace(/^\[(.+)\]$/, '$1')
  const user = decoded(parsed.username)
  const database = decoded(parsed.pathname.slice(1))
  if (host === '' || user === '' || database === '') {
    throw invalid('host, user or database is missing', 'write postgres://USER@HOST/DATABASE')
  }
  const port = parsed.port === '' ? DEFAULT_PORT : Number(parsed.port)
  return {
    shown: `postgres://${host}:${port}/${database}`,
    ...{ host, port, database, user },
    password: parsed.password === '' ? null : new Secret(decoded(parsed.password)),
    tls: tlsOf(host, members),
    connectionsMax: connectionsOf(members.get('connections')),
  }
}

function tlsOf(host: string, members: URLSearchParams): false | ConnectionOptions {
  const isHere = LOOPBACK.has(host) || host.startsWith('/')
  const certificates = ['sslrootcert', 'sslcert', 'sslkey'].filter((name) => members.has(name))
  const mode = members.get('sslmode')
  if (mode !== null && !MODES.some((known) => known === mode)) {
    throw invalid(`\`sslmode=${mode}\` is not known`, `known are ${MODES.join(', ')}`)
  }
  if (mode === 'disable' || (mode === null && isHere && certificates.length === 0)) {
    if (certificates.length === 0) return false
    throw invalid('a certificate without TLS', 'leave `sslmode=disable` out')
  }
  const [ca, cert, key] = [
    pem(members, 'sslrootcert'),
    pem(members, 'sslcert'),
    pem(members, 'sslkey'),
  ]
  if (mode === 'verify-ca' && ca === undefined) {
    // Any name of any public authority would do.
    throw invalid('`sslmode=verify-ca` needs `sslrootcert`', 'name the CA, or use verify-full')
  }
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    servername: host,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  }
}

function pem(members: URLSearchParams, name: string): string | undefined {
  const path = members.get(name)
  if (path === null) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw invalid(`\`${name}\` cannot be read`, 'give the path of a PEM file')
  }
}

function connectionsOf(text: string | null): number {
  if (text === null) return CONNECTIONS.fallback
  const count = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= CONNECTIONS.most) return count
  throw invalid('`connections` is not a number from 1 to 100', 'leave it out for 8')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('a `%` in it does not begin a code', 'write `%25` for `%`')
  }
}

/** Without the URL: it may hold a password, also where it cannot be read. */
function invalid(what: string, help: string): GatewayError {
  return new GatewayError('invalid_config', `the URL of the state is wrong: ${what}`, help)
}
