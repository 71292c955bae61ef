// Verifies a ledger's folder with its public key, and reads the entries on the way. The key comes from
// outside the folder: a ledger cannot vouch for itself.
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { VerifyReport } from '@seconder/ledger/verify'
import { FolderRules } from './folder-rules.ts'
import { noteText, verifierKey } from './ledger-keys.ts'
import { type LedgerPlace, placeOf } from './ledger-place.ts'
import { seenByWitnesses, type WitnessedEnd, type WitnessesAsked } from './seen-by-witnesses.ts'

export interface FolderOptions {
  /** The verifier key itself, or a file with it; default: the folder's name with `.vkey`. */
  readonly key?: string | undefined
  /** A checkpoint note seen before, or a file with it. */
  readonly since?: string | undefined
  /** Checkpoint notes that others kept. */
  readonly anchored?: readonly string[]
  /** Witnesses that must have cosigned the checkpoint kept beside the ledger. */
  readonly witnesses?: WitnessesAsked | undefined
  /** Entries that are handed back, the first ones; default: a million. */
  readonly keep?: number
  readonly onProgress?: (done: number, of: number) => void
  /**
   * Each entry in order, as it stands in the log, with its leaf hash in hex; from 0 again where a running gate
   * moved files meanwhile.
   */
  readonly onEntry?: (index: number, text: string, hash: string) => void
}

export type LedgerEntry = { readonly type: string; readonly at: string } & Record<string, unknown>

/** Entries kept in memory while verifying, unless fewer are asked for; every one is verified all the same. */
const ENTRIES_KEPT_MAX = 1_000_000

/** A gate that is running moves files while they are read; what is really wrong stays wrong. */
const LIVE_TRIES = 4
const LIVE_PAUSE_MS = 700

export interface VerifiedFolder {
  readonly report: VerifyReport
  /** Null where no witness was asked for, or too few cosigned. */
  readonly witnessed: WitnessedEnd | null
  /** Payloads that entries say were dropped, by two people or for their age. */
  readonly dropped: number
  /** Whether payloads were held against their digests; on a web server it is only looked whether they are there. */
  readonly payloadsRead: boolean
  readonly entries: readonly LedgerEntry[]
}

/** Verifies tree, files and signatures, and that every payload an entry names is there. */
export async function verifyLedgerFolder(
  folder: string,
  options: FolderOptions = {},
): Promise<VerifiedFolder> {
  for (let tries = 1; ; tries++) {
    const place = placeOf(folder)
    const verified = await verifyOnce(folder, place, options)
    if (verified.report.ok || tries >= LIVE_TRIES || !(await place.isLive())) return verified
    await setTimeout(LIVE_PAUSE_MS)
  }
}

async function verifyOnce(
  folder: string,
  place: LedgerPlace,
  options: FolderOptions,
): Promise<VerifiedFolder> {
  const { onProgress, keep = ENTRIES_KEPT_MAX } = options
  const entries: LedgerEntry[] = []
  const decoder = new TextDecoder()
  let rules: FolderRules | null = null
  const seen = options.witnesses && (await seenByWitnesses(folder, options.witnesses))
  const given = [options.since && noteText(options.since), seen?.note]
  const notes = [...given, ...(options.anchored ?? [])]
  const report = await place.verify({
    verifierKey: verifierKey(folder, options.key),
    since: notes.filter((note) => note !== undefined),
    ...(onProgress && {
      onProgress: (done: { entries: number; of: number }) => onProgress(done.entries, done.of),
    }),
    onEntry: (index, bytes) => {
      rules ??= new FolderRules(place.beside, leafHash(bytes))
      const text = decoder.decode(bytes)
      if (options.onEntry) options.onEntry(index, text, leafHash(bytes))
      const entry = parseEntry(text)
      if (entries.length < keep) entries.push(entry)
      return rules.take(index, entry)
    },
  })
  const checked = rules as FolderRules | null
  const { unfinished = [], dropped = 0 } = (await checked?.finish()) ?? {}
  const broken = checked?.problems ?? []
  const problems = [...report.problems, ...broken, ...(seen?.problems ?? [])]
  const witnessed = seen?.witnessed ?? null
  const all = { problems, unfinished: [...report.unfinished, ...unfinished] }
  const found = { report: { ...report, ok: problems.length === 0, ...all }, entries }
  return { ...found, witnessed, dropped, payloadsRead: place.readsPayloads }
}

/** RFC 6962 section 2.1. */
export function leafHash(bytes: Uint8Array): string {
  return createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest('hex')
}

/** An entry that is no JSON is shown as such: the tree vouches for bytes, not for their form. */
export function parseEntry(text: string): LedgerEntry {
  try {
    return JSON.parse(text) as LedgerEntry
  } catch {
    return { type: 'unreadable', at: '' }
  }
}
