// A small file that several processes replace, whole, and only where what they looked at is still there.
import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { NOTE_CHARACTERS_MAX } from '@seconder/ledger/note'

/**
 * Replaces `before` (null: no file) by `text`, durable; false, with nothing done, where something else is there.
 * It is looked at and replaced with nothing of this process in between, and next to nothing of another one.
 */
export async function replacedFile(
  path: string,
  text: string,
  { before, mode }: { readonly before: string | null; readonly mode: number },
): Promise<boolean> {
  const staged = `${path}.${randomUUID()}.new`
  try {
    await writeFile(staged, text, { mode, flush: true })
    if (contentNow(path) !== before) return false
    renameSync(staged, path)
    return true
  } finally {
    await rm(staged, { force: true })
  }
}

/** What is in the file now, as far as it may be a note; null where there is no file. */
export function contentNow(path: string): string | null {
  try {
    return noteOf(readFileSync(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

export function noteOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 4 * NOTE_CHARACTERS_MAX)).toString('utf8')
}
