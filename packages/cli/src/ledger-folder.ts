// Verifies a ledger's folder with its public key, and reads the entries on the way. The key comes from
// outside the folder: a ledger cannot vouch for itself.
import { readFileSync } from 'node:fs'
import { verifyDirectory } from '@seconder/ledger/directory'
import type { VerifyReport } from '@seconder/ledger/verify'
import { CommandFailure, EXIT } from './failure.ts'

export interface FolderOptions {
  /** The verifier key itself, or a file with it; default: the folder's name with `.vkey`. */
  readonly key?: string | undefined
  /** A checkpoint note seen before, or a file with it. */
  readonly since?: string | undefined
  readonly onProgress?: (done: number, of: number) => void
}

export type LedgerEntry = { readonly type: string; readonly at: string } & Record<string, unknown>

/** Entries kept in memory while verifying; the rest is verified all the same. */
const ENTRIES_KEPT_MAX = 1_000_000

export async function verifyLedgerFolder(
  folder: string,
  options: FolderOptions = {},
): Promise<{ report: VerifyReport; entries: LedgerEntry[] }> {
  const entries: LedgerEntry[] = []
  const decoder = new TextDecoder()
  const { onProgress } = options
  const report = await verifyDirectory(folder, {
    verifierKey: verifierKey(folder, options.key),
    ...(options.since !== undefined && { since: noteText(options.since) }),
    ...(onProgress && {
      onProgress: (done: { entries: number; of: number }) => onProgress(done.entries, done.of),
    }),
    onEntry: (_index, bytes) => {
      if (entries.length < ENTRIES_KEPT_MAX) entries.push(parseEntry(decoder.decode(bytes)))
    },
  })
  return { report, entries }
}

/** An entry that is no JSON is shown as such: the tree vouches for bytes, not for their form. */
function parseEntry(text: string): LedgerEntry {
  try {
    return JSON.parse(text) as LedgerEntry
  } catch {
    return { type: 'unreadable', at: '' }
  }
}

function verifierKey(folder: string, key: string | undefined): string {
  if (key?.includes('+')) return key.trim()
  const file = key ?? `${folder.replace(/\/+$/, '')}.vkey`
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    throw new CommandFailure(
      'usage',
      `cannot read the ledger's public key from ${file}`,
      'give it with --key; the gate wrote it beside the ledger at its first start',
      EXIT.usage,
    )
  }
}

function noteText(since: string): string {
  if (since.includes('\n')) return since
  try {
    return readFileSync(since, 'utf8')
  } catch {
    throw new CommandFailure(
      'usage',
      `cannot read the checkpoint ${since}`,
      'give a file with a checkpoint note',
      EXIT.usage,
    )
  }
}
