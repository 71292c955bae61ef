// Verifies a ledger's folder with its public key, and reads the entries on the way. The key comes from
// outside the folder: a ledger cannot vouch for itself.
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { AfterReviews } from '@seconder/gateway/break-glass/account'
import { verifySsh } from '@seconder/gateway/lib/signed-act'
import { verifyDirectory } from '@seconder/ledger/directory'
import { EntryRules } from '@seconder/ledger/entry-rules'
import { payloadPath } from '@seconder/ledger/layout'
import { PlanOrder } from '@seconder/ledger/plan-order'
import { PROBLEMS_MAX } from '@seconder/ledger/report'
import { SignedActs, type VerifySsh } from '@seconder/ledger/signed-acts'
import { TILE_WIDTH, tilePath } from '@seconder/ledger/tiles'
import type { VerifyProblem, VerifyReport } from '@seconder/ledger/verify'
import { noteText, verifierKey } from './ledger-keys.ts'
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
  readonly entries: readonly LedgerEntry[]
}

/** Verifies tree, files and signatures, and that every payload an entry names is there. */
export async function verifyLedgerFolder(
  folder: string,
  options: FolderOptions = {},
): Promise<VerifiedFolder> {
  let verified = await verifyOnce(folder, options)
  for (let tries = 1; !verified.report.ok && tries < LIVE_TRIES && isLive(folder); tries++) {
    await setTimeout(LIVE_PAUSE_MS)
    verified = await verifyOnce(folder, options)
  }
  return verified
}

/** Written to a moment ago: somebody may be at it. */
function isLive(folder: string): boolean {
  const writtenMs = statSync(folder).mtimeMs
  return Date.now() - writtenMs < 60_000
}

async function verifyOnce(folder: string, options: FolderOptions): Promise<VerifiedFolder> {
  const { onProgress, keep = ENTRIES_KEPT_MAX } = options
  const entries: LedgerEntry[] = []
  const decoder = new TextDecoder()
  let rules: FolderRules | null = null
  const seen = options.witnesses && (await seenByWitnesses(folder, options.witnesses))
  const given = [options.since && noteText(options.since), seen?.note]
  const notes = [...given, ...(options.anchored ?? [])]
  const report = await verifyDirectory(folder, {
    verifierKey: verifierKey(folder, options.key),
    since: notes.filter((note) => note !== undefined),
    ...(onProgress && {
      onProgress: (done: { entries: number; of: number }) => onProgress(done.entries, done.of),
    }),
    onEntry: (index, bytes) => {
      rules ??= new FolderRules(folder, leafHash(bytes))
      const text = decoder.decode(bytes)
      if (options.onEntry) options.onEntry(index, text, leafHash(bytes))
      const entry = parseEntry(text)
      if (entries.length < keep) entries.push(entry)
      return rules.take(index, entry)
    },
  })
  const broken = (rules as FolderRules | null)?.problems ?? []
  const problems = [...report.problems, ...broken, ...(seen?.problems ?? [])]
  const witnessed = seen?.witnessed ?? null
  return { report: { ...report, ok: problems.length === 0, problems }, entries, witnessed }
}

const WITH_DOCUMENT = new Set(['request-opened', 'plan-opened', 'intent'])

/** What must hold inside the entries, checked as they come. */
export class FolderRules {
  readonly problems: VerifyProblem[] = []
  readonly #folder: string
  readonly #acts: SignedActs
  readonly #plans = new PlanOrder()
  readonly #rules = new EntryRules()
  readonly #looked: AfterReviews

  constructor(folder: string, gateId: string) {
    this.#folder = folder
    const verify: VerifySsh = (act, namespace) => verifySsh(act, namespace, act.publicKey)
    this.#acts = new SignedActs(gateId, verify)
    this.#looked = new AfterReviews(gateId)
  }

  /** Most entries are signed by nobody: a promise only for those that are. */
  take(index: number, entry: LedgerEntry): Promise<void> | undefined {
    this.#note(index, 'rule_broken', this.#rules.take(entry))
    this.#note(index, 'act_invalid', this.#looked.take(entry) ?? this.#plans.take(entry))
    this.#requirePayload(index, entry)
    if (!SignedActs.mayHold(entry)) return undefined
    return this.#acts.take(entry).then((message) => this.#note(index, 'act_invalid', message))
  }

  #note(index: number, code: VerifyProblem['code'], message: string | null): void {
    if (message === null || this.problems.length >= PROBLEMS_MAX) return
    const bundle = Math.floor(index / TILE_WIDTH)
    const file = tilePath({ level: 'entries', index: bundle, width: TILE_WIDTH })
    this.problems.push({ file, entry: index, code, message })
  }

  /** Review documents and epoch contents lie beside the log; an entry holds the digest of each. */
  #requirePayload(index: number, { type, document, content }: LedgerEntry): void {
    const digest = WITH_DOCUMENT.has(type) ? document : type === 'epoch-activated' ? content : null
    if (typeof digest !== 'string' || this.problems.length >= PROBLEMS_MAX) return
    const file = payloadPath(digest)
    if (existsSync(join(this.#folder, file))) return
    const message = 'the entry names it, and it is not there'
    this.problems.push({ file, entry: index, code: 'missing_file', message })
  }
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
