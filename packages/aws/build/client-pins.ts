// Reads the pins of the AWS SDK for JavaScript v3 clients that the index is made from: name, exact
// version and integrity of each package, and the hash of what was read out of them. Re-pinned by
// `npm run index -- --pin`.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface ClientPin {
  /** Without `@aws-sdk/client-`. */
  readonly name: string
  readonly version: string
  /** As npm writes it: `sha512-` and base64. */
  readonly integrity: string
}

export interface ClientPins {
  /** No version above this one is pinned. */
  readonly until: string
  /** SHA-256 in hex of the text of clients/models.br, before compression. */
  readonly extract: string
  readonly clients: readonly ClientPin[]
}

export const PINS_PATH = fileURLToPath(new URL('clients/pins.json', import.meta.url))

const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/
const EXACT = /^3\.\d+\.\d+$/

/** The pins; throws where one is not exact. */
export function readPins(): ClientPins {
  const pins = JSON.parse(readFileSync(PINS_PATH, 'utf8')) as ClientPins
  for (const { name, version, integrity } of pins.clients) {
    if (!EXACT.test(version)) throw new Error(`client \`${name}\` has no exact version`)
    if (!INTEGRITY.test(integrity)) throw new Error(`client \`${name}\` has no sha512 integrity`)
  }
  return pins
}

/** The pins as the file holds them: one client a line, sorted, so that a change reads well. */
export function pinsText({ until, extract, clients }: ClientPins): string {
  const rows = clients
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, version, integrity }) => JSON.stringify({ name, version, integrity }))
  return `{"until":"${until}","extract":"${extract}","clients":[\n${rows.join(',\n')}\n]}\n`
}
