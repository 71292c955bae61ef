// Verifies a ledger's folder with its public key, and reads the entries on the way. The key comes from
// outside the folder: a ledger cannot vouch for itself.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { AfterReviews } from '@seconder/gateway/break-glass/account'
import { verifySsh } from '@seconder/gateway/lib/signed-act'
import { verifyDirectory } from '@seconder/ledger/directory'
import { payloadPath } from '@seconder/ledger/layout'
import { PlanOrder } from '@seconder/ledger/plan-order'
import { PROBLEMS_MAX } from '@seconder/ledger/report'
import { SignedActs } from '@seconder/ledger/signed-acts'
import { TILE_WIDTH, tilePath } from '@seconder/ledger/tiles'
import type { VerifyProblem, VerifyReport } from '@seconder/ledger/verify'
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

/** A gate that is running moves files while they are read; what is really wrong stays wrong. */
const LIVE_TRIES = 4
const LIVE_PAUSE_MS = 700

export interface VerifiedFolder {
  readonly report: VerifyReport
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
  const entries: LedgerEntry[] = []
  const decoder = new TextDecoder()
  let gateId = ''
  const { onProgress } = options
  const report = await verifyDirectory(folder, {
    verifierKey: verifierKey(folder, options.key),
    ...(options.since !== undefined && { since: noteText(options.since) }),
    ...(onProgress && {
      onProgress: (done: { entries: number; of: number }) => onProgress(done.entries, done.of),
    }),
    onEntry: (index, bytes) => {
      if (index === 0) gateId = leafHash(bytes)
      if (entries.length < ENTRIES_KEPT_MAX) entries.push(parseEntry(decoder.decode(bytes)))
    },
  })
  const problems = [
    ...report.problems,
    ...missingPayloads(folder, entries),
    ...(await untrueActs(gateId, entries)),
  ]
  return { report: { ...report, ok: problems.length === 0, problems }, entries }
}

/** Review documents and epoch contents lie beside the log; an entry holds the digest of each. */
function missingPayloads(folder: string, entries: readonly LedgerEntry[]): VerifyProblem[] {
  return entries.flatMap((entry, index) => {
    const digest =
      entry.type === 'request-opened' || entry.type === 'plan-opened'
        ? entry['document']
        : entry.type === 'epoch-activated'
          ? entry['content']
          : entry.type === 'intent'
            ? entry['document']
            : null
    if (typeof digest !== 'string') return []
    const file = payloadPath(digest)
    if (existsSync(join(folder, file))) return []
    return [
      {
        file,
        entry: index,
        code: 'missing_file',
        message: 'the entry names it, and it is not there',
      },
    ]
  })
}

/** What is said to be signed by people, verified again with the keys that were theirs at the time. */
async function untrueActs(
  gateId: string,
  entries: readonly LedgerEntry[],
): Promise<VerifyProblem[]> {
  const problems: VerifyProblem[] = []
  const acts = new SignedActs(gateId, (act, namespace) => verifySsh(act, namespace, act.publicKey))
  const plans = new PlanOrder()
  const looked = new AfterReviews(gateId)
  for (const [index, entry] of entries.entries()) {
    const message = looked.take(entry) ?? (await acts.take(entry)) ?? plans.take(entry)
    if (message === null) continue
    const file = tilePath({
      level: 'entries',
      index: Math.floor(index / TILE_WIDTH),
      width: TILE_WIDTH,
    })
    problems.push({ file, entry: index, code: 'act_invalid', message })
    if (problems.length >= PROBLEMS_MAX) break
  }
  return problems
}

/** RFC 6962 section 2.1. */
function leafHash(bytes: Uint8Array): string {
  return createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest('hex')
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
