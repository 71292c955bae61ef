// What a back-up says of itself, in `backup.json`: when, of which gate, how far, and the hash of each file that is
// no part of the ledger. The ledger vouches for itself.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandFailure } from '../failure.ts'

export const MANIFEST_FILE = 'backup.json'
const FORMAT = 'seconder-backup@1'

/** Names in a back-up, and below what they lie at a gate. */
export const STATE_FILE = 'state.db'
export const LEDGER_FOLDER = 'ledger'
export const VKEY_FILE = 'ledger.vkey'
export const COSIGNED_FILE = 'ledger.cosigned'
export const KEY_FILE = 'ledger.key'

export interface Manifest {
  readonly format: typeof FORMAT
  readonly at: string
  /** SHA-256 of the ledger's first entry. */
  readonly gate: string
  /** Entries of the ledger in the back-up. */
  readonly size: number
  /** Entries that the state is known to have followed; the rest is replayed. */
  readonly followed: number
  /** Sessions that were open; in the back-up they are closed. */
  readonly sessions: number
  /** SHA-256 in hex, by name. */
  readonly files: Readonly<Record<string, string>>
}

export function manifestText(facts: Omit<Manifest, 'format'>): string {
  return `${JSON.stringify({ format: FORMAT, ...facts }, null, 2)}\n`
}

export function fileHash(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** The manifest of a back-up whose files are those that were written. Errors: `bad_backup`. */
export function readManifest(folder: string): Manifest {
  const found = parsed(folder)
  for (const [name, hash] of Object.entries(found.files)) {
    if (!/^[\w.-]+(\/[\w.-]+)?$/.test(name) || name.includes('..'))
      throw badBackup(`\`${name}\` is no file of one`)
    if (hashOr(join(folder, name)) !== hash) throw badBackup(`\`${name}\` is not what was written`)
  }
  return found
}

function parsed(folder: string): Manifest {
  try {
    const found = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8')) as Manifest
    const { format, at, gate, size, followed, sessions, files } = found
    const isWhole =
      format === FORMAT &&
      !Number.isNaN(Date.parse(at)) &&
      /^[0-9a-f]{64}$/.test(gate) &&
      [size, followed, sessions].every(Number.isSafeInteger) &&
      typeof files[STATE_FILE] === 'string' &&
      typeof files[KEY_FILE] === 'string'
    if (isWhole) return found
  } catch (cause) {
    throw badBackup(`\`${MANIFEST_FILE}\` cannot be read`, cause)
  }
  throw badBackup(`\`${MANIFEST_FILE}\` is not that of a back-up`)
}

function hashOr(path: string): string | null {
  try {
    return fileHash(path)
  } catch {
    return null // it is missing, or cannot be read: not what was written either way
  }
}

export function badBackup(why: string, cause?: unknown): CommandFailure {
  const help = 'take another back-up; one that is not whole is never restored'
  const failure = new CommandFailure('bad_backup', `the back-up cannot be used: ${why}`, help)
  if (cause !== undefined) failure.cause = cause
  return failure
}
