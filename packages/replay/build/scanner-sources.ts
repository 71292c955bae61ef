// What the event scanner is built from, as one hash.

import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const SCANNER = join(import.meta.dirname, '..', 'scanner')
export const DATA = join(import.meta.dirname, '..', 'data')

/** SHA-256, hex, over names and texts of the sources. */
export function sourcesHash(): string {
  const names = readdirSync(SCANNER).sort()
  const texts = names.map((name) => `${name}\n${readFileSync(join(SCANNER, name), 'utf8')}`)
  return hash('sha256', texts.join('\0'))
}
