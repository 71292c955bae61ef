// The state in a back-up: one consistent copy of the database, taken beside a gate that runs, in which nothing is
// open any more. No key of a session is in it, also not in pages that SQLite no longer uses.
import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { RESTORED, type RestoredMark } from '@seconder/gateway/record/restored'
import { MIGRATIONS } from '@seconder/gateway/state/schema'
import { parseCheckpoint } from '@seconder/ledger/checkpoint'
import { parseNote } from '@seconder/ledger/note'
import { CommandFailure } from '../failure.ts'
import { badBackup } from './manifest.ts'

/** Pages in one step: all, so that a gate that writes meanwhile does not make it begin again. */
const ALL_PAGES = 2 ** 31 - 1

export interface CopiedState {
  readonly gate: string
  /** The checkpoint that the state remembers; null where there is none yet. */
  readonly note: string | null
  readonly followed: number
}

/** Source: https://sqlite.org/backup.html; node:sqlite `backup` */
export async function copyState(
  from: string,
  to: string,
  atMs: number,
): Promise<CopiedState & { readonly sessions: number }> {
  const source = open(from, true)
  try {
    await backup(source, to, { rate: ALL_PAGES })
  } finally {
    source.close()
  }
  chmodSync(to, 0o600)
  const copy = open(to, false)
  let sessions = 0
  try {
    const { n } = copy
      .prepare(
        'SELECT count(*) AS n FROM sessions WHERE closed_at_ms IS NULL AND expires_at_ms > ?',
      )
      .get(atMs) as { n: number }
    sessions = n
    copy.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON')
    copy
      .prepare(
        `UPDATE sessions SET secret_access_key = '', mask_key = '', closed_at_ms = coalesce(closed_at_ms, ?)`,
      )
      .run(atMs)
    copy.exec('DELETE FROM sign_ins; VACUUM')
  } finally {
    copy.close()
  }
  return { ...lookAtState(to), sessions }
}

/** What the copy is of, when it is sound. Errors: `bad_backup`. */
export function lookAtState(path: string): CopiedState {
  const copy = open(path, true)
  try {
    const [check] = copy.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
    if (check?.integrity_check !== 'ok') throw badBackup('the state is damaged')
    const { user_version: version } = copy.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    if (version > MIGRATIONS.length) {
      throw badBackup(`its state has version ${version}, this build knows ${MIGRATIONS.length}`)
    }
    const { n } = copy
      .prepare(
        `SELECT count(*) AS n FROM sessions WHERE closed_at_ms IS NULL OR secret_access_key <> ''`,
      )
      .get() as { n: number }
    if (n !== 0) throw badBackup('a session is open in it')
    const meta = (key: string) => {
      const row = copy.prepare('SELECT value FROM meta WHERE key = ?').get(key)
      return row === undefined ? null : String(row['value'])
    }
    const gate = meta('gate')
    if (gate === null) throw badBackup('its gate was never started')
    const note = meta('checkpoint')
    return { gate, note, followed: note === null ? 0 : parseCheckpoint(parseNote(note).text).size }
  } finally {
    copy.close()
  }
}

/** Says in the state that it is a back-up, so that the gate that is started on it ends what is open. */
export function markState(path: string, mark: RestoredMark): void {
  const copy = open(path, false)
  try {
    copy.exec('PRAGMA synchronous = FULL')
    copy
      .prepare(
        'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      )
      .run(RESTORED, JSON.stringify(mark))
  } finally {
    copy.close()
  }
  syncFile(path)
}

export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function open(path: string, readOnly: boolean): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly })
  } catch (cause) {
    const failure = new CommandFailure(
      'state_unreadable',
      `cannot read the state in ${path}`,
      'run it as the user of the gate, with the configuration of the gate',
    )
    failure.cause = cause
    throw failure
  }
}
