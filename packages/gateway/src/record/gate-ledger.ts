// Opens the gate's ledger: makes its key and first entry at the first start, and at every later one
// refuses files that are older than what was acknowledged (a rollback or a fork).
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Ledger, openLedger } from '@seconder/ledger/ledger'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { parseCanonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import { type Clock, goOnFrom } from '../lib/clock.ts'
import { parseRegisteredKey, type RegisteredKey } from '../lib/registered-key.ts'
import type { FoundingPerson, Store } from '../state/store.ts'
import { Checkpoints } from './checkpoints.ts'
import type { Entry } from './entry.ts'
import { restoreState } from './open-effects.ts'
import { createRecorder, type Remembering } from './recorder.ts'

export interface GateLedger {
  readonly ledger: Ledger
  /** SHA-256 (hex) of the ledger's first entry: the gate's identity in every signed statement. */
  readonly gateId: string
  readonly verifierKey: string
  readonly notices: string[]
  readonly remembering: Remembering
  /** Throws `state_error` once a write of the ledger failed. */
  requireWritable(): void
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
  // The log is named after its key, so that no start can lose the name.
  const origin = `seconder.invalid/${keyName(signer)}`
  const last = await store.meta('checkpoint')
  let isStopped = false
  const ledger = await openLedger({
    directory: config.ledgerDirectory,
    origin,
    signer,
    onFatal: () => {
      isStopped = true
    },
    ...(last !== undefined && { lastAcknowledged: last }),
  })
  try {
    await goOnFromLast(ledger, clock)
    const found = await foundGate(config, store, ledger, clock)
    // Before anything newer is remembered, which is what says how far the state is durable.
    await restoreState(ledger, store, last)
    const checkpoints = new Checkpoints(store)
    return {
      ledger,
      ...found,
      verifierKey: ledger.verifierKey,
      remembering: checkpoints,
      requireWritable() {
        if (isStopped) throw stoppedLedger()
      },
      async close() {
        await ledger.close()
        await checkpoints.close(ledger.checkpoint().note)
      },
    }
  } catch (cause) {
    await ledger.close()
    throw cause
  }
}

/** A clock that was set back revives no grant and no session (red team M10). Errors: `clock_behind`. */
async function goOnFromLast(ledger: Ledger, clock: Clock): Promise<void> {
  if (ledger.size === 0) return
  const entry = JSON.parse(new TextDecoder().decode(await ledger.read(ledger.size - 1))) as Entry
  goOnFrom(clock, Date.parse(entry.at))
}

/**
 * The gate that this ledger belongs to. At the first start it is made; a first start that was cut short
 * is finished from entry 0, which is what counts.
 */
async function foundGate(
  config: Config,
  store: Store,
  ledger: Ledger,
  clock: Clock,
): Promise<{ gateId: string; notices: string[] }> {
  const known = await store.meta('gate')
  const notices: string[] = []
  const isNew = ledger.size === 0
  if (isNew) {
    if (known !== undefined) throw otherGate()
    await recordGate(config, ledger, clock)
    notices.push(
      `first start: the ledger's public key is in ${config.ledgerDirectory}.vkey; keep a copy elsewhere`,
    )
  }
  const gateId = Buffer.from(ledger.firstEntryHash() ?? []).toString('hex')
  if (known !== undefined && known !== gateId) throw otherGate()
  if (known === undefined) await store.foundGate(gateId, await foundingPeople(ledger))
  const keyFile = `${config.ledgerDirectory}.vkey`
  if (isNew || !existsSync(keyFile)) writeFileSync(keyFile, `${ledger.verifierKey}\n`)
  return { gateId, notices }
}

async function recordGate(config: Config, ledger: Ledger, clock: Clock): Promise<void> {
  const recorder = createRecorder(ledger, clock, FORGETFUL)
  await recorder.record(gateCreated(config, ledger.verifierKey))
}

/** Entry 0 of a gate that nobody has made yet. Errors: `invalid_config` for a key that cannot be read. */
export function gateCreated(config: Config, verifierKey: string) {
  for (const { name, sshKeys } of config.people) {
    for (const line of sshKeys) registered(name, line)
  }
  return {
    type: 'gate-created',
    ledgerKey: verifierKey,
    nonce: randomBytes(16).toString('hex'),
    people: config.people.map(({ name, teams, sshKeys }) => ({
      name,
      teams: [...teams],
      keys: [...sshKeys],
    })),
  } as const
}

/** The people of entry 0, as the store keeps them. */
export async function foundingPeople(ledger: Ledger): Promise<FoundingPerson[]> {
  const text = new TextDecoder().decode(await ledger.read(0))
  const parsed = GATE_CREATED.safeParse(parseCanonicalJson(text))
  if (!parsed.success) throw otherGate()
  const { at, people } = parsed.data
  return people.map(({ name, teams, keys }) => ({
    person: { name, teams, addedAtMs: Date.parse(at) },
    keys: keys.map((line) => {
      const { fingerprint, credentialId } = registered(name, line)
      const addedAtMs = Date.parse(at)
      return { fingerprint, person: name, publicKey: line, credentialId, addedAtMs }
    }),
  }))
}

/** Of the very first entry: what counts of it is in it. */
export const FORGETFUL: Remembering = {
  acknowledged: () => undefined,
  holding: () => () => undefined,
  isOwed: async () => false,
  settled: async () => undefined,
}

const GATE_CREATED = z.object({
  type: z.literal('gate-created'),
  at: z.iso.datetime(),
  people: z.array(
    z.object({ name: z.string(), teams: z.array(z.string()), keys: z.array(z.string()) }),
  ),
})

/** Sixteen hex digits of the key's hash. */
export function keyName(signer: KeyObject): string {
  const spki = createPublicKey(signer).export({ format: 'der', type: 'spki' })
  return sha256Hex(new Uint8Array(spki)).slice(0, 16)
}

function registered(name: string, line: string): RegisteredKey {
  try {
    return parseRegisteredKey(line)
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

function stoppedLedger(): GatewayError {
  return new GatewayError(
    'state_error',
    'the ledger stopped after a failed write',
    'look at the disk, then start the gate again',
  )
}

export function otherGate(): GatewayError {
  return new GatewayError(
    'state_error',
    'the state database and the ledger do not belong to one gate',
    'restore both from one back-up, or start anew with both elsewhere',
  )
}
