// The ledger in a back-up: exactly the files of one signed checkpoint, and the payloads. Files of a ledger never
// change, but those of its last, partial tiles go when it grows: then the next checkpoint is taken.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseCheckpoint } from '@seconder/ledger/checkpoint'
import { directorySource } from '@seconder/ledger/directory'
import { LedgerError } from '@seconder/ledger/errors'
import { nodeFiles } from '@seconder/ledger/files'
import { CHECKPOINT_FILE, LOCK_FILE, PAYLOAD_DIRECTORY } from '@seconder/ledger/layout'
import { parseNote } from '@seconder/ledger/note'
import { tilePath, tilesOf } from '@seconder/ledger/tiles'
import { CommandFailure } from '../failure.ts'

const TRIES = 120
const PAUSE_MS = 250

/** Holds the ledger so that no gate starts on it; null where one runs. */
export function heldLedger(folder: string): { release(): void } | null {
  try {
    return nodeFiles().lock(join(folder, LOCK_FILE))
  } catch (cause) {
    if (cause instanceof LedgerError && cause.code === 'ledger_locked') return null
    throw cause
  }
}

/** Copies a ledger with at least `sizeMin` entries, beside a gate that runs or of one that stands still. */
export async function copyLedger(from: string, to: string, sizeMin: number): Promise<void> {
  const held = heldLedger(from)
  if (held === null) return copyPublished(from, to, sizeMin)
  try {
    // Nobody writes: what lies in the journal comes along.
    for (const name of directorySource(from).list() as string[]) {
      if (name !== LOCK_FILE && !name.startsWith('staging/')) place(from, to, name)
    }
  } finally {
    held.release()
  }
}

async function copyPublished(from: string, to: string, sizeMin: number): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const note = readFileSync(join(from, CHECKPOINT_FILE), 'utf8')
    const { size } = parseCheckpoint(parseNote(note).text)
    if (size >= sizeMin && copyTree(from, to, size)) {
      copyPayloads(from, to)
      writeFileSync(join(to, CHECKPOINT_FILE), note, { mode: 0o600, flush: true })
      return
    }
    await setTimeout(PAUSE_MS)
  }
  throw new CommandFailure(
    'ledger_busy',
    `the ledger in ${from} could not be copied: what the state knows of is not published`,
    'look whether the gate is well (/readyz), then try again',
  )
}

/** False where a partial tile is gone already. */
function copyTree(from: string, to: string, size: number): boolean {
  for (const tile of tilesOf(size)) {
    const name = tilePath(tile)
    if (existsSync(join(to, name))) continue
    try {
      place(from, to, name)
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      return forgetPartial(to)
    }
  }
  return true
}

/** Those of an older size belong to no ledger of a newer one; full ones stay. */
function forgetPartial(to: string): false {
  const files = nodeFiles()
  for (const name of directorySource(to).list() as string[]) {
    if (/\.p\/\d+$/.test(name)) void files.remove(join(to, name))
  }
  return false
}

/** A payload is there before its entry is: more than the entries name does no harm. */
function copyPayloads(from: string, to: string): void {
  const payloads = join(from, PAYLOAD_DIRECTORY)
  if (!existsSync(payloads)) return
  for (const name of readdirSync(payloads, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    const path = relative(from, join(name.parentPath, name.name))
    if (!existsSync(join(to, path))) place(from, to, path)
  }
}

function place(from: string, to: string, name: string): void {
  const target = join(to, name)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  copyFileSync(join(from, name), target)
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
