// The listener of scrapers: /metrics and nothing else, for whoever sends the token of its file. How many requests
// wait and when people answer would help an agent to choose its moment, and agents reach loopback too (M12).
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { GatewayError } from '../errors.ts'
import type { Closing } from '../lib/closing.ts'
import { closed, once } from '../lib/listening.ts'
import type { Page, Telemetry } from './telemetry.ts'
import type { TelemetryConfig } from './telemetry-config.ts'

const CONNECTIONS_MAX = 32
const REQUEST_MS_MAX = 5_000
const HEADER_BYTES_MAX = 8 * 1024
const TOKEN_BYTES = 32
/** What may be the token: long enough that nobody guesses it. */
const TOKEN = /^[\x21-\x7e]{32,1024}$/

export interface MetricsListener {
  readonly url: string
  close(): Promise<void>
}

/** The address of the listener, which is closed by `closing`; null where none is configured. Errors: as below. */
export async function openMetrics(
  { metrics }: TelemetryConfig,
  telemetry: Telemetry,
  closing: Closing,
): Promise<string | null> {
  if (!metrics) return null
  const { url, close } = await openMetricsListener(metrics, (accept) => telemetry.page(accept))
  closing.push(close)
  return url
}

/** Errors: `invalid_config` where it cannot listen, or the token cannot be read. */
export async function openMetricsListener(
  { listen, tokenFile }: NonNullable<TelemetryConfig['metrics']>,
  page: (accept: string | undefined) => Promise<Page>,
): Promise<MetricsListener> {
  const token = hashOf(tokenIn(tokenFile))
  const server = http.createServer(
    {
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: REQUEST_MS_MAX,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    (incoming, outgoing) => void answer(incoming, outgoing, token, page),
  )
  server.maxConnections = CONNECTIONS_MAX
  server.listen(listen.port, listen.host)
  await once(server)
  const { port } = server.address() as AddressInfo
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return { url: `http://${host}:${port}/metrics`, close: () => closed(server) }
}

async function answer(
  { method, url, headers }: http.IncomingMessage,
  outgoing: http.ServerResponse,
  token: Buffer,
  page: (accept: string | undefined) => Promise<Page>,
): Promise<void> {
  const say = (status: number, text: string, more: Record<string, string> = {}) => {
    const fixed = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
    const type = { 'content-type': 'text/plain; charset=utf-8' }
    outgoing.writeHead(status, { ...type, ...fixed, ...more }).end(method === 'HEAD' ? '' : text)
  }
  try {
    const given = /^Bearer +([\x21-\x7e]{1,1024})$/i.exec(headers.authorization ?? '')?.[1]
    if (given === undefined || !timingSafeEqual(hashOf(given), token)) {
      const words = 'metrics need the token of metrics.tokenFile: authorization.credentials_file\n'
      return say(401, words, { 'www-authenticate': 'Bearer' })
    }
    if (method !== 'GET' && method !== 'HEAD') return say(405, 'only GET\n', { allow: 'GET, HEAD' })
    if (url?.split('?', 1)[0] !== '/metrics') return say(404, 'there is only /metrics\n')
    const { type, text } = await page(headers.accept)
    say(200, text, { 'content-type': type })
  } catch {
    // Half a page would be read as a whole one.
    if (outgoing.headersSent) outgoing.destroy()
    else say(500, 'the metrics could not be read\n')
  }
}

/** Made where it is not there, for its owner alone. */
function tokenIn(file: string): string {
  try {
    const made = `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`
    writeFileSync(file, made, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, cause)
  }
  let token: string
  try {
    token = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw unusable(file, cause)
  }
  if (!TOKEN.test(token)) throw unusable(file)
  return token
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function unusable(file: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'invalid_config',
    `the file of metrics.tokenFile, \`${file}\`, cannot be used`,
    'let the gate make it, or put 32 or more printable characters into it, on one line',
    cause === undefined ? undefined : { cause },
  )
}
