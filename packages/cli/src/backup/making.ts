// Makes a back-up of a gate, beside it while it runs or of one that stands still: the state first, then the ledger,
// which is never behind the state; then all of it is verified, and only then has it its name.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '@seconder/gateway/config'
import { cosignedPath } from '@seconder/gateway/record/witnessing'
import { parseCheckpoint } from '@seconder/ledger/checkpoint'
import { nodeFiles } from '@seconder/ledger/files'
import { parseNote } from '@seconder/ledger/note'
import { CommandFailure, EXIT } from '../failure.ts'
import { verifyLedgerFolder } from '../ledger-folder.ts'
import { copyLedger } from './ledger-copy.ts'
import {
  badBackup,
  COSIGNED_FILE,
  fileHash,
  KEY_FILE,
  LEDGER_FOLDER,
  MANIFEST_FILE,
  type Manifest,
  manifestText,
  readManifest,
  STATE_FILE,
  VKEY_FILE,
} from './manifest.ts'
import { copyState, lookAtState, markState, syncFile } from './state-copy.ts'

export type OnProgress = (what: string, done: number, of: number) => void

/** Returns what is in the back-up. Errors: CommandFailure. */
export async function makeBackup(
  config: Config,
  folder: string,
  onProgress: OnProgress,
): Promise<Manifest> {
  requireFiles(config)
  const partial = `${resolve(folder)}.partial`
  requireFree(resolve(folder), partial)
  mkdirSync(dirname(partial), { recursive: true, mode: 0o700 })
  mkdirSync(partial, { mode: 0o700 }) // another one that is made at this moment has it, or this one
  try {
    await fillFolder(config, partial, onProgress)
    renameSync(partial, folder)
  } catch (cause) {
    // It holds keys: what is no back-up is not kept.
    rmSync(partial, { recursive: true, force: true })
    throw cause
  }
  await nodeFiles().syncDirectory(dirname(resolve(folder)))
  // Once more as whoever restores it does.
  return readManifest(folder)
}

async function fillFolder(config: Config, partial: string, onProgress: OnProgress): Promise<void> {
  mkdirSync(join(partial, LEDGER_FOLDER), { mode: 0o700 })
  const at = new Date().toISOString()
  const statePath = join(partial, STATE_FILE)
  const { followed, sessions } = await copyState(config.statePath, statePath, Date.parse(at))
  const names = [STATE_FILE, ...copySmall(config, partial)]
  // After what the witnesses said: the ledger that they said it of is there by now.
  const cosigned = names.includes(COSIGNED_FILE)
    ? [readFileSync(join(partial, COSIGNED_FILE), 'utf8')]
    : []
  const known = cosigned.map((note) => parseCheckpoint(parseNote(note).text).size)
  const sizeMin = Math.max(followed, ...known)
  await copyLedger(config.ledgerDirectory, join(partial, LEDGER_FOLDER), sizeMin)
  const { gate, size } = await verifiedCopy(partial, onProgress, cosigned)
  markState(statePath, { backupAt: at, backupSize: size, ledger: 'unknown', sessions })
  for (const name of names) chmodSync(join(partial, name), 0o600)
  const files = Object.fromEntries(names.map((name) => [name, fileHash(join(partial, name))]))
  const text = manifestText({ at, gate, size, followed, sessions, files })
  writeFileSync(join(partial, MANIFEST_FILE), text, { mode: 0o600, flush: true })
  await madeDurable(partial)
}

function requireFiles(config: Config): void {
  if (!config.database) return
  throw new CommandFailure(
    'not_supported',
    'the state of this gate is on PostgreSQL, whose back-up is pg_dump',
    'see docs/backup.md, "On PostgreSQL"',
    EXIT.usage,
  )
}

function requireFree(folder: string, partial: string): void {
  const isEmpty =
    existsSync(folder) && statSync(folder).isDirectory() && readdirSync(folder).length === 0
  if (existsSync(partial) || (existsSync(folder) && !isEmpty)) {
    const [taken, help] = existsSync(partial)
      ? [partial, 'a back-up is being made, or one was cut off: then remove it, keys are in it']
      : [
          folder,
          'name a folder that is not there; each back-up has its own, and none is written over',
        ]
    throw new CommandFailure('folder_taken', `there is something at ${taken}`, help, EXIT.usage)
  }
}

/** The keys, and what the witnesses said last. Returns the names. */
function copySmall({ statePath, ledgerDirectory }: Config, to: string): string[] {
  const from: [string, string][] = [
    [join(dirname(statePath), 'ledger.key'), KEY_FILE],
    [`${ledgerDirectory}.vkey`, VKEY_FILE],
    [cosignedPath(ledgerDirectory), COSIGNED_FILE],
    [join(dirname(statePath), 'connect', 'ca.key'), 'connect/ca.key'],
  ]
  const names: string[] = []
  for (const [path, name] of from) {
    if (!existsSync(path)) continue
    mkdirSync(dirname(join(to, name)), { recursive: true, mode: 0o700 })
    copyFileSync(path, join(to, name))
    names.push(name)
  }
  return names
}

/** The copy as a stranger verifies it, with the checkpoints that its state and others remember. Errors: `bad_backup`. */
export async function verifiedCopy(
  folder: string,
  onProgress: OnProgress,
  remembered: readonly string[] = [],
): Promise<{ gate: string; size: number; note: string }> {
  const state = lookAtState(join(folder, STATE_FILE))
  let gate = ''
  const { report } = await verifyLedgerFolder(join(folder, LEDGER_FOLDER), {
    key: join(folder, VKEY_FILE),
    ...(state.note !== null && { since: state.note }),
    anchored: remembered,
    keep: 0,
    onProgress: (done, of) => onProgress('entries verified', done, of),
    onEntry: (index, _text, hash) => {
      if (index === 0) gate = hash
    },
  })
  const [problem] = report.problems
  if (problem) throw badBackup(`its ledger does not verify: ${problem.message} (${problem.code})`)
  if (gate !== state.gate) throw badBackup('its state and its ledger are not of one gate')
  return { gate, size: report.size, note: report.note ?? '' }
}

async function madeDurable(folder: string): Promise<void> {
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(found.parentPath, found.name)
    if (found.isDirectory()) await nodeFiles().syncDirectory(path)
    else syncFile(path)
  }
  await nodeFiles().syncDirectory(folder)
}
