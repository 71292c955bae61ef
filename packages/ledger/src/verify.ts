// The verifier: needs only the files and the public key, and accounts for every file there is. It
// streams, so memory does not grow with the log. No node: import; a browser runs the same code.
//
// What it cannot see without a checkpoint from outside: that the end of the log was cut off and an
// older signed checkpoint put back. The report says so.

import { fromUtf8, sameBytes, toHex } from './bytes.ts'
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import { LedgerError } from './errors.ts'
import { CHECKPOINT_FILE, LOCK_FILE } from './layout.ts'
import { bundleCount } from './level-tiles.ts'
import { ed25519Verifier, type NoteVerifier } from './note.ts'
import { type OpenPlainBundles, plainBundles } from './plain-bundles.ts'
import type { Primitives } from './primitives.ts'
import { Findings, ROLLBACK_UNSEEN, type VerifyReport } from './report.ts'
import { Inventory, type LedgerSource } from './source.ts'
import { StagedJournal } from './staged-journal.ts'
import { parseBundle, TILE_WIDTH, tilePath, tileWidth } from './tiles.ts'
import { emptyRoot, HASH_BYTES } from './tree.ts'
import { type OnEntry, TreeWalk } from './tree-walk.ts'
import { webPrimitives } from './web.ts'

export type { VerifyProblem, VerifyReport } from './report.ts'
export type { LedgerSource } from './source.ts'

export interface VerifyOptions {
  /** The vkey of the ledger, from outside the ledger: `name+id+base64`. */
  readonly verifierKey: string
  /** The notes of checkpoints seen before; the ledger must go on from each. */
  readonly since?: string | readonly string[]
  /** Hears how many of how many entries are done. */
  readonly onProgress?: (progress: { entries: number; of: number }) => void
  /** Hears each entry in order, so that the caller can check rules inside entries on the way. */
  readonly onEntry?: OnEntry
  /** Default: those that every browser and Node have; `verifyDirectory` binds faster ones. */
  readonly primitives?: Primitives
  /** How full bundles are read and hashed; default: here, one by one. `verifyDirectory` has threads. */
  readonly openPlain?: OpenPlainBundles
}

/** The event loop gets a turn at least this often. */
const TURN_MS = 50

/**
 * What is wrong with the ledger, file by file; `ok` when nothing is. Throws `key_invalid` for a
 * verifier key that is none; everything found in the files is in the report.
 */
export async function verifyLedger(
  source: LedgerSource,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const primitives = options.primitives ?? webPrimitives
  const verifier = ed25519Verifier(options.verifierKey, primitives)
  const findings = new Findings()
  const inventory = new Inventory(source, findings)
  await inventory.load()
  const given = [options.since ?? []].flat()
  const since = await openSince(given, verifier, findings)
  const published = await openPublished(inventory, verifier, findings)
  let last: SignedCheckpoint | null = null
  if (published !== null) {
    const staged = await StagedJournal.load(inventory, published, verifier, primitives, findings)
    last = staged.last
    const onSize = rootComparison(published, staged, since, findings)
    const { onEntry } = options
    const bundles = Math.floor(published.size / TILE_WIDTH)
    const asked = { bundles, wantsEntries: onEntry !== undefined }
    const plain = options.openPlain?.(asked) ?? plainBundles(source, primitives)
    const parts = {
      hasher: primitives,
      inventory,
      findings,
      published,
      staged,
      onSize,
      onEntry,
      plain,
    }
    const walk = new TreeWalk({ ...parts, sinceSizes: since.map(({ size }) => size) })
    try {
      await walkAll(walk, staged.last.size, options, findings)
    } finally {
      plain.close()
    }
    for (const name of inventory.leftTiles()) {
      findings.add('unknown_file', name, 'no signed checkpoint needs it')
    }
    compareEnd(since, staged.last, findings)
  }
  await checkOther(inventory, primitives, findings)
  return {
    ok: findings.problems.length === 0,
    size: last?.size ?? 0,
    rootHash: last?.rootHash ?? emptyRoot(primitives.sha256),
    note: last?.note ?? null,
    payloads: inventory.payloads.length,
    problems: findings.problems,
    problemsOmitted: findings.omitted,
    unfinished: findings.unfinished,
    rollback: since.length === 0 ? ROLLBACK_UNSEEN : 'checked',
  }
}

/** Those that open; each that does not is a problem. */
async function openSince(
  notes: readonly string[],
  verifier: NoteVerifier,
  findings: Findings,
): Promise<SignedCheckpoint[]> {
  const opened: SignedCheckpoint[] = []
  for (const note of notes) {
    try {
      opened.push(await openCheckpoint(note, verifier.name, [verifier]))
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error
      const message = `the checkpoint given as since: ${error.message}`
      findings.add('since_invalid', CHECKPOINT_FILE, message)
    }
  }
  return opened
}

async function openPublished(
  inventory: Inventory,
  verifier: NoteVerifier,
  findings: Findings,
): Promise<SignedCheckpoint | null> {
  if (!inventory.hasCheckpoint) {
    findings.add('missing_file', CHECKPOINT_FILE, 'a ledger has a signed checkpoint')
    return null
  }
  const bytes = await inventory.read(CHECKPOINT_FILE)
  if (bytes === null) return null
  try {
    return await openCheckpoint(fromUtf8(bytes) ?? '', verifier.name, [verifier])
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    findings.add('checkpoint_invalid', CHECKPOINT_FILE, error.message)
    return null
  }
}

/** Compares the root of the tree with every signed one, at the size at which that was signed. */
function rootComparison(
  published: SignedCheckpoint,
  staged: StagedJournal,
  since: readonly SignedCheckpoint[],
  findings: Findings,
): (size: number, root: () => Uint8Array) => void {
  return (size, root) => {
    const promised = staged.roots.get(size)
    if (promised !== undefined && !sameBytes(root(), promised.checkpoint.rootHash)) {
      const message = `the first ${size} entries do not lead to the root that it signs`
      findings.add('root_mismatch', promised.file, message)
    }
    if (size === published.size && !sameBytes(root(), published.rootHash)) {
      const message = `the first ${size} entries do not lead to the signed root`
      findings.add('root_mismatch', CHECKPOINT_FILE, message)
    }
    for (const seen of since) {
      if (size !== seen.size || sameBytes(root(), seen.rootHash)) continue
      const message = `the first ${size} entries are not those of the checkpoint given as since`
      findings.add('fork', CHECKPOINT_FILE, message)
    }
  }
}

async function walkAll(
  walk: TreeWalk,
  size: number,
  options: VerifyOptions,
  findings: Findings,
): Promise<void> {
  let turnEndsMs = performance.now() + TURN_MS
  for (let index = 0; index < bundleCount(size); index++) {
    if (!(await walk.walkBundle(index))) {
      const message = `nothing after entry ${walk.size} could be checked`
      findings.add('root_mismatch', CHECKPOINT_FILE, message, walk.size)
      return
    }
    options.onProgress?.({ entries: walk.size, of: size })
    if (performance.now() < turnEndsMs) continue
    await new Promise((resolve) => setTimeout(resolve, 0))
    turnEndsMs = performance.now() + TURN_MS
  }
  await walk.finish()
}

function compareEnd(
  since: readonly SignedCheckpoint[],
  last: SignedCheckpoint,
  findings: Findings,
): void {
  for (const { size } of since) {
    if (size <= last.size) continue
    const message = `the ledger ends at ${last.size}, and had ${size} entries before`
    findings.add('rollback', CHECKPOINT_FILE, message)
  }
}

/** The files that are not the log itself. */
async function checkOther(
  inventory: Inventory,
  { sha256 }: Primitives,
  findings: Findings,
): Promise<void> {
  for (const name of inventory.staging) {
    findings.unfinished.push({ file: name, message: 'a file on its way to its place' })
  }
  if (inventory.hasLock && ((await inventory.read(LOCK_FILE))?.length ?? 0) > 0) {
    findings.add('wrong_content', LOCK_FILE, 'the lock file is always empty')
  }
  const digest = new Uint8Array(HASH_BYTES)
  for (const payload of inventory.payloads) {
    const bytes = await inventory.read(payload.name)
    if (bytes === null) continue
    sha256(bytes, digest, 0)
    if (toHex(digest) === payload.sha256) continue
    findings.add('wrong_content', payload.name, 'its SHA-256 is not its name')
  }
}

/**
 * The entries in order, published and then staged, for a ledger that verifies. Throws
 * `ledger_corrupt` where a bundle cannot be read; it checks no hashes, `verifyLedger` does.
 */
export async function* entries(
  source: LedgerSource,
  options: Pick<VerifyOptions, 'verifierKey' | 'primitives'>,
): AsyncGenerator<{ index: number; entry: Uint8Array }> {
  const primitives = options.primitives ?? webPrimitives
  const verifier = ed25519Verifier(options.verifierKey, primitives)
  const findings = new Findings()
  const inventory = new Inventory(source, findings)
  await inventory.load()
  const published = await openPublished(inventory, verifier, findings)
  if (published === null) throw new LedgerError('ledger_corrupt', 'the checkpoint does not open')
  for (let bundle = 0; bundle < bundleCount(published.size); bundle++) {
    const width = tileWidth(0, bundle, published.size)
    const name = tilePath({ level: 'entries', index: bundle, width })
    const parsed = parseBundle((await inventory.read(name)) ?? new Uint8Array(0), width)
    if (!parsed.isWhole) throw new LedgerError('ledger_corrupt', `\`${name}\` is damaged`)
    for (const [position, entry] of parsed.entries.entries()) {
      yield { index: bundle * TILE_WIDTH + position, entry }
    }
  }
  const staged = await StagedJournal.load(inventory, published, verifier, primitives, findings)
  for (let index = published.size; index < staged.last.size; index++) {
    const found = staged.at(index)
    if (found === undefined) return
    yield { index, entry: found.entry }
  }
}
