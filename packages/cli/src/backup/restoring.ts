// Puts a back-up where a gate was. Nothing that is there is written over: a ledger that is newer is kept, and the
// state follows it; what is older than anything known was acknowledged is never brought back.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Config } from '@seconder/gateway/config'
import { cosignedPath } from '@seconder/gateway/record/witnessing'
import { openCheckpoint } from '@seconder/ledger/checkpoint'
import { LedgerError } from '@seconder/ledger/errors'
import { nodeFiles } from '@seconder/ledger/files'
import { nodePrimitives } from '@seconder/ledger/node'
import { ed25519Verifier } from '@seconder/ledger/note'
import { anchored } from '../anchored.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { parseEntry, verifyLedgerFolder } from '../ledger-folder.ts'
import { heldLedger } from './ledger-copy.ts'
import { type OnProgress, verifiedCopy } from './making.ts'
import {
  badBackup,
  COSIGNED_FILE,
  fileHash,
  KEY_FILE,
  LEDGER_FOLDER,
  type Manifest,
  readManifest,
  STATE_FILE,
  VKEY_FILE,
} from './manifest.ts'
import { markState, syncFile } from './state-copy.ts'

export interface RestoreOptions {
  /** Where checkpoints were seen elsewhere: files, git repositories and buckets, as `ledger verify --anchor` reads them. */
  readonly checkpoints: readonly string[]
  /** The operator says that what was recorded after the back-up is lost, and goes on without it. */
  readonly acceptLoss: boolean
}

export interface Restored {
  readonly manifest: Manifest
  readonly ledger: 'kept' | 'from-backup'
  /** Entries of the ledger that the gate goes on from. */
  readonly size: number
  /** What the state of the back-up does not know of and the gate takes from the ledger, by type of entry. */
  readonly replayed: Readonly<Record<string, number>>
}

/** Errors: CommandFailure; then nothing was changed that a second try has to know of. */
export async function restoreBackup(
  config: Config,
  folder: string,
  options: RestoreOptions,
  onProgress: OnProgress,
): Promise<Restored> {
  const manifest = readManifest(folder)
  const copy = await verifiedCopy(folder, onProgress)
  if (copy.gate !== manifest.gate || copy.size !== manifest.size)
    throw badBackup('its parts differ')
  requireNoState(config)
  requireSameKey(config, folder)
  const target = config.ledgerDirectory
  const isThere = existsSync(target) && readdirSync(target).length > 0
  if (!isThere) {
    const ledger = join(folder, LEDGER_FOLDER)
    const isNewest = await requireNewest(ledger, copy.size, folder, config, options.checkpoints)
    if (!isNewest && !options.acceptLoss) throw lossNotAccepted(copy.size)
    const replayed = await entriesAfter(ledger, folder, manifest.followed)
    await placeLedger(folder, target)
    await placeRest(config, folder, manifest, 'from-backup')
    return { manifest, ledger: 'from-backup', size: copy.size, replayed: replayed.types }
  }
  const held = heldLedger(target)
  if (held === null) throw running(target)
  try {
    const kept = await entriesAfter(target, folder, manifest.followed, copy.note)
    await requireNewest(target, kept.size, folder, config, options.checkpoints)
    await placeRest(config, folder, manifest, 'kept')
    return { manifest, ledger: 'kept', size: kept.size, replayed: kept.types }
  } finally {
    held.release()
  }
}

function running(target: string): CommandFailure {
  const help = 'stop it first; a gate that runs well needs nothing restored'
  return new CommandFailure('gate_running', `a gate runs on the ledger in ${target}`, help)
}

function requireNoState({ statePath, database }: Config): void {
  if (database) {
    const help = 'see docs/backup.md, "On PostgreSQL"'
    throw new CommandFailure(
      'not_supported',
      'the state of this gate is on PostgreSQL',
      help,
      EXIT.usage,
    )
  }
  for (const path of [statePath, `${statePath}-wal`]) {
    if (!existsSync(path)) continue
    throw new CommandFailure(
      'state_there',
      `there is a state at ${path}, and none is written over`,
      'if it is broken, stop the gate and move it away; if it is well, start the gate on it',
    )
  }
}

/** The key that is there signs what follows: another one would be another log. */
function requireSameKey({ statePath }: Config, folder: string): void {
  const path = join(dirname(statePath), 'ledger.key')
  if (!existsSync(path) || fileHash(path) === fileHash(join(folder, KEY_FILE))) return
  throw otherGate(`another key lies at ${path}`)
}

function otherGate(why: string): CommandFailure {
  const help = 'restore it where its own gate was, or where none was'
  return new CommandFailure('other_gate', `this is the back-up of another gate: ${why}`, help)
}

/** Verifies the ledger there, that it goes on from the back-up, and counts what came after it. */
async function entriesAfter(
  ledger: string,
  folder: string,
  first: number,
  since?: string,
): Promise<{ size: number; types: Record<string, number> }> {
  const types: Record<string, number> = {}
  const { report } = await verifyLedgerFolder(ledger, {
    key: join(folder, VKEY_FILE),
    ...(since !== undefined && { since }),
    keep: 0,
    onEntry: (index, text) => {
      if (index < first) return
      const { type } = parseEntry(text)
      types[type] = (types[type] ?? 0) + 1
    },
  })
  const [problem] = report.problems
  if (problem === undefined) return { size: report.size, types }
  throw new CommandFailure(
    'ledger_not_continued',
    `the ledger in ${ledger} does not go on from the back-up: ${problem.message} (${problem.code})`,
    'move it away and keep it as evidence; a restore then takes that of the back-up, where nothing newer is known',
  )
}

/**
 * Nothing that anybody saw is newer than the ledger that the gate would go on from. Returns whether somebody vouches
 * for its very end. Errors: CommandFailure `ledger_older_than_acknowledged`.
 */
async function requireNewest(
  ledger: string,
  size: number,
  folder: string,
  { ledgerDirectory, anchors = [] }: Config,
  checkpoints: readonly string[],
): Promise<boolean> {
  const rows = anchors.map((row) => ('file' in row ? row.file : 'git' in row ? row.git : row.s3))
  const near = [cosignedPath(ledgerDirectory), join(folder, COSIGNED_FILE)]
  // Not there yet is a file that nothing was anchored in; what is there and cannot be read could be newer.
  const known = [...near, ...rows].filter((place) => place.startsWith('s3://') || existsSync(place))
  const sizes: number[] = []
  for (const place of [...checkpoints, ...known]) {
    for (const note of (await anchored(place)).notes) {
      const seen = await requireInside(note, place, ledger, size, folder)
      // What came with the back-up knows nothing of what was recorded after it.
      if (!isIn(folder, place)) sizes.push(seen)
    }
  }
  return sizes.includes(size)
}

function isIn(folder: string, place: string): boolean {
  return existsSync(place) && !relative(realpathSync(folder), realpathSync(place)).startsWith('..')
}

/** The size of a checkpoint that the ledger goes on from. */
async function requireInside(
  note: string,
  place: string,
  ledger: string,
  size: number,
  folder: string,
): Promise<number> {
  const key = readFileSync(join(folder, VKEY_FILE), 'utf8').trim()
  const verifier = ed25519Verifier(key, nodePrimitives)
  const seen = await openCheckpoint(note, verifier.name, [verifier]).catch((cause: unknown) => {
    if (!(cause instanceof LedgerError)) throw cause
    throw otherGate(`the checkpoint of ${place} is not of its ledger: ${cause.message}`)
  })
  if (seen.size > size) {
    throw new CommandFailure(
      'ledger_older_than_acknowledged',
      `the ledger would end at ${size} entries, and ${place} has a checkpoint of ${seen.size}: ${seen.size - size} are missing`,
      'find its files, or a newer back-up: a gate never goes on from less than it acknowledged; without them, found a new gate',
    )
  }
  await entriesAfter(ledger, folder, size, note)
  return seen.size
}

function lossNotAccepted(size: number): CommandFailure {
  return new CommandFailure(
    'loss_not_accepted',
    `the ledger of the back-up has ${size} entries, and nobody vouches that nothing was recorded after them`,
    'give the newest checkpoint there is (--checkpoint); --accept-loss goes on without knowing, and the ledger says so for ever',
  )
}

async function placeLedger(folder: string, target: string): Promise<void> {
  const draft = `${resolve(target)}.restoring`
  if (existsSync(draft)) {
    const help = 'an earlier restore was cut off: remove it, then restore again'
    throw new CommandFailure('folder_taken', `there is something at ${draft}`, help)
  }
  mkdirSync(dirname(draft), { recursive: true, mode: 0o700 })
  cpSync(join(folder, LEDGER_FOLDER), draft, { recursive: true, dereference: true })
  for (const found of readdirSync(draft, { recursive: true, withFileTypes: true })) {
    const path = join(found.parentPath, found.name)
    if (found.isDirectory()) await nodeFiles().syncDirectory(path)
    else syncFile(path)
  }
  await nodeFiles().syncDirectory(draft)
  renameSync(draft, target)
  await nodeFiles().syncDirectory(dirname(draft))
}

/** The state comes last: without it no gate takes the rest for a gate that was restored. */
async function placeRest(
  { statePath, ledgerDirectory }: Config,
  folder: string,
  { at, size, sessions, files }: Manifest,
  ledger: 'kept' | 'from-backup',
): Promise<void> {
  const state = dirname(statePath)
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const places: [string, string][] = [
    [KEY_FILE, join(state, 'ledger.key')],
    [VKEY_FILE, `${ledgerDirectory}.vkey`],
    [COSIGNED_FILE, cosignedPath(ledgerDirectory)],
    ['connect/ca.key', join(state, 'connect', 'ca.key')],
  ]
  for (const [name, path] of places) {
    if (files[name] === undefined || existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    copyFileSync(join(folder, name), path)
    syncFile(path)
  }
  const draft = `${statePath}.restoring`
  copyFileSync(join(folder, STATE_FILE), draft)
  markState(draft, { backupAt: at, backupSize: size, ledger, sessions })
  renameSync(draft, statePath)
  await nodeFiles().syncDirectory(state)
}
