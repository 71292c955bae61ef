// Opens the gate's ledger: makes its key and first entry at the first start, and at every later one
// refuses files that are older than what was acknowledged (a rollback or a fork).
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Ledger, openLedger } from '@seconder/ledger/ledger'
import type { Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { parsePublicKey } from '../lib/ssh/public-key.ts'
import type { Store } from '../state/store.ts'
import { createRecorder } from './recorder.ts'

/** How long an acknowledged checkpoint may wait to be remembered, in milliseconds. */
const REMEMBER_MS = 50

export interface GateLedger {
  readonly ledger: Ledger
  /** SHA-256 (hex) of the ledger's first entry: the gate's identity in every signed statement. */
  readonly gateId: string
  readonly verifierKey: string
  readonly notices: string[]
  /** Remembers the newest acknowledged checkpoint, soon. */
  readonly acknowledged: (note: string) => void
  close(): Promise<void>
}

/** Errors: LedgerError; `state_error` when state and ledger are not of one gate. */
export async function openGateLedger(
  config: Config,
  store: Store,
  clock: Clock,
): Promise<GateLedger> {
  const folder = dirname(config.statePath)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const signer = ledgerKey(join(folder, 'ledger.key'))
  const origin = store.meta('origin') ?? `seconder.invalid/${randomBytes(8).toString('hex')}`
  const last = store.meta('checkpoint')
  const ledger = await openLedger({
    directory: config.ledgerDirectory,
    origin,
    signer,
    ...(last !== undefined && { lastAcknowledged: last }),
  })
  const notices: string[] = []
  const remember = remembering(store)
  const { verifierKey } = ledger
  if (ledger.size === 0) {
    if (store.meta('gate') !== undefined) throw otherGate()
    await createGate(config, store, ledger, clock, verifierKey)
    store.setMeta('origin', origin)
    writeFileSync(`${config.ledgerDirectory}.vkey`, `${verifierKey}\n`)
    notices.push(
      `first start: the ledger's public key is in ${config.ledgerDirectory}.vkey; keep a copy elsewhere`,
    )
  }
  const first = ledger.firstEntryHash()
  const gateId = first ? Buffer.from(first).toString('hex') : ''
  const known = store.meta('gate')
  if (known === undefined) store.setMeta('gate', gateId)
  else if (known !== gateId) throw otherGate()
  return {
    ledger,
    gateId,
    verifierKey,
    notices,
    acknowledged: remember.note,
    async close() {
      await ledger.close()
      remember.now(ledger.checkpoint().note)
    },
  }
}

async function createGate(
  config: Config,
  store: Store,
  ledger: Ledger,
  clock: Clock,
  verifierKey: string,
): Promise<void> {
  const people = config.people.map(({ name, teams, sshKeys }) => ({
    name,
    teams,
    keys: sshKeys.map((line) => ({ line, fingerprint: fingerprint(name, line) })),
  }))
  const recorder = createRecorder(ledger, clock, () => undefined)
  await recorder.record({
    type: 'gate-created',
    ledgerKey: verifierKey,
    nonce: randomBytes(16).toString('hex'),
    people: people.map(({ name, teams, keys }) => ({
      name,
      teams: [...teams],
      keys: keys.map(({ line }) => line),
    })),
  })
  for (const { name, teams, keys } of people) {
    store.addPerson(
      { name, teams, addedAtMs: clock.nowMs() },
      keys.map(({ line, fingerprint: print }) => ({
        fingerprint: print,
        person: name,
        publicKey: line,
      })),
    )
  }
}

function fingerprint(name: string, line: string): string {
  try {
    return parsePublicKey(line).fingerprint
  } catch (cause) {
    throw new GatewayError(
      'invalid_config',
      `an sshKey of \`${name}\` cannot be read`,
      'paste one line of a .pub file',
      { cause },
    )
  }
}

function ledgerKey(path: string): KeyObject {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(path, privateKey.export({ format: 'pem', type: 'pkcs8' }), {
      mode: 0o600,
      flag: 'wx',
    })
  }
  return createPrivateKey(readFileSync(path))
}

/** Writes at most one checkpoint every REMEMBER_MS: the hot path does not wait for it. */
function remembering(store: Store): { note: (note: string) => void; now: (note: string) => void } {
  let newest: string | null = null
  let timer: NodeJS.Timeout | null = null
  const now = (note: string) => {
    if (timer) clearTimeout(timer)
    timer = null
    newest = null
    store.setMeta('checkpoint', note)
  }
  return {
    now,
    note(note) {
      newest = note
      timer ??= setTimeout(() => {
        if (newest !== null) now(newest)
      }, REMEMBER_MS).unref()
    },
  }
}

function otherGate(): GatewayError {
  return new GatewayError(
    'state_error',
    'the state database and the ledger do not belong to one gate',
    'restore both from one back-up, or start anew with both elsewhere',
  )
}
