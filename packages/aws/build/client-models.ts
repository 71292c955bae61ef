// Holds what the v3 clients say in one committed file, so that a build and a test need no network:
// one client a line as JSON, compressed. `npm run index` makes it again from the pins.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { FetchedClient } from './client-archive.ts'
import { clientFacts } from './client-facts.ts'
import { readPins } from './client-pins.ts'
import { type ClientModel, modelOf } from './client-schemas.ts'

export const EXTRACT_PATH = fileURLToPath(new URL('clients/models.br', import.meta.url))

const EXTRACT_BYTES_MAX = 256 * 1024 * 1024

/** The text of the extract, the same for the same packages. */
export function extractText(clients: readonly FetchedClient[]): string {
  const byName = clients.toSorted((a, b) => (a.pin.name < b.pin.name ? -1 : 1))
  return byName.map((client) => `${JSON.stringify(modelOf(clientFacts(client)))}\n`).join('')
}

export function extractHash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function packExtract(text: string): Buffer {
  const bytes = Buffer.from(text)
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  })
}

/** The committed extract. Throws where it is not the one that the pins name. */
export function readClientModels(): ClientModel[] {
  const { clients, extract } = readPins()
  const packed = readFileSync(EXTRACT_PATH)
  const text = brotliDecompressSync(packed, { maxOutputLength: EXTRACT_BYTES_MAX }).toString('utf8')
  if (extractHash(text) !== extract) throw new Error('clients/models.br is not what the pins name')
  const models = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ClientModel)
  if (models.length !== clients.length) throw new Error('clients/models.br lacks a client')
  return models
}
