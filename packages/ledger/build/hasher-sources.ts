// What sha256-lanes.wasm is built from, as one hash.

import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const HASHER = join(import.meta.dirname, '..', 'hasher')
export const DATA = join(import.meta.dirname, '..', 'data')

/** SHA-256, hex, over names and texts of the sources. */
export function sourcesHash(): string {
  const names = readdirSync(HASHER).sort()
  const texts = names.map((name) => `${name}\n${readFileSync(join(HASHER, name), 'utf8')}`)
  return hash('sha256', texts.join('\0'))
}
