// What a gate stands on: state, ledger and clock, of its own in files, or shared with other gateways over one
// PostgreSQL. Whoever builds on it does not know which.

import type { KeyObject } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Json } from '@seconder/aws/call'
import { CHECKPOINT_FILE } from '@seconder/ledger/layout'
import type { Ledger } from '@seconder/ledger/ledger'
import { EPOCH_RECORDED } from './cluster/membership.ts'
import { CLUSTER_MIGRATIONS } from './cluster/schema.ts'
import { followPeople, SharedGate } from './cluster/shared-gate.ts'
import { sharedKey } from './cluster/shared-key.ts'
import { SharedLedger } from './cluster/shared-ledger.ts'
import type { Config } from './config.ts'
import { GatewayError } from './errors.ts'
import { canonicalJson } from './lib/canonical-json.ts'
import { type Clock, goingOn, goOnFrom, systemClock } from './lib/clock.ts'
import type { Closing } from './lib/closing.ts'
import { filesInBucket, type PublishedFiles } from './lib/published-files.ts'
import { S3Objects } from './lib/s3-objects.ts'
import { followedEpoch } from './record/catching-up.ts'
import {
  FORGETFUL,
  foundingPeople,
  gateCreated,
  keyName,
  openGateLedger,
  otherGate,
} from './record/gate-ledger.ts'
import { closeOpenEffects } from './record/open-effects.ts'
import { createRecorder, type HearingRecorder, type Recorder } from './record/recorder.ts'
import { endRestored } from './record/restored.ts'
import { openSqliteStore } from './state/open-store.ts'
import { PostgresDatabase } from './state/postgres.ts'
import type { PostgresAddress } from './state/postgres-address.ts'
import { migratePostgres } from './state/postgres-schema.ts'
import { MIGRATIONS } from './state/schema.ts'
import { SqlStore } from './state/sql-store.ts'
import type { Store } from './state/store.ts'
import type { Log } from './telemetry/log.ts'

export interface Foundation {
  readonly store: Store
  readonly ledger: Ledger
  readonly recorder: Recorder
  readonly clock: Clock
  /** SHA-256 (hex) of the ledger's first entry: the gate's identity in every signed statement. */
  readonly gateId: string
  readonly verifierKey: string
  readonly notices: string[]
  /** The other gateways; null where there can be none. */
  readonly shared: SharedGate | null
  /** Where the ledger's files are, if in no directory. */
  readonly bucket: PublishedFiles | null
  /** Throws where nothing can be recorded any more. */
  requireWritable(): void
  /** Ends what an earlier run of this gate left open; returns words for the operator. */
  endLeft(): Promise<string[]>
}

/** What is opened is added to `closing`, also where this fails. Errors: as `serve`. */
export function openFoundation(
  config: Config,
  clock: Clock | undefined,
  closing: Closing,
  log: Log,
): Promise<Foundation> {
  const { database } = config
  if (database) return onPostgres(config, { address: database, log }, clock, closing)
  return inFiles(config, clock ? goingOn(clock) : systemClock(), closing)
}

async function inFiles(config: Config, clock: Clock, closing: Closing): Promise<Foundation> {
  const store = openSqliteStore(config.statePath)
  closing.push(() => store.close())
  const opened = await openGateLedger(config, store, clock)
  closing.push(opened.close)
  const { ledger, gateId, verifierKey, notices, requireWritable } = opened
  const recorder = createRecorder(ledger, clock, opened.remembering)
  const endLeft = async () => [
    ...(await closeOpenEffects(ledger, store, recorder)),
    ...(await endRestored(store, recorder, clock)),
  ]
  const facts = { gateId, verifierKey, notices, requireWritable }
  return { store, ledger, recorder, clock, ...facts, shared: null, bucket: null, endLeft }
}

async function onPostgres(
  config: Config,
  { address, log }: { readonly address: PostgresAddress; readonly log: Log },
  given: Clock | undefined,
  closing: Closing,
): Promise<Foundation> {
  const database = new PostgresDatabase(address)
  closing.push(() => database.close())
  await migratePostgres(database, [
    { name: 'state', texts: MIGRATIONS },
    { name: 'cluster', texts: CLUSTER_MIGRATIONS },
  ])
  const objects = config.ledgerBucket ? new S3Objects(config.ledgerBucket) : null
  if (objects) closing.push(() => objects.close())
  const signer = await sharedKeyOf(config, objects)
  const hearing: { recorder: HearingRecorder | null; shared: SharedGate | null } = {
    recorder: null,
    shared: null,
  }
  const ledger = await SharedLedger.open({
    ...{ database, directory: config.ledgerDirectory, signer, objects },
    origin: `seconder.invalid/${keyName(signer)}`,
    place: `${hostname()} ${process.pid}`,
    heard: (entry) => hearing.recorder?.heard(entry),
    stopped: (cause) => hearing.shared?.stop(cause.message),
    trouble: (_, cause) => log.write('cluster_failing', { error: cause }),
  })
  closing.push(() => ledger.close())
  const shared = new SharedGate(ledger, database)
  hearing.shared = shared
  const { mutexes } = shared
  const store = new SqlStore(database, { gateway: ledger.membership.id, mutexes })
  const clock = given ? goingOn(given) : ledger.clock
  goOnFrom(clock, ledger.newestMs)
  const recorder = createRecorder(
    ledger,
    clock,
    {
      ...FORGETFUL,
      isOwed: (id) => store.isOwed(id),
      settled: (id) => store.settleOwed(id),
    },
    true,
  )
  hearing.recorder = recorder
  // Whoever changes people knows every change that another gateway recorded, and did not live to apply.
  mutexes.first('people', () => followPeople(ledger, store))
  mutexes.first('epoch', async () => {
    const text = await store.meta(EPOCH_RECORDED)
    if (text !== undefined) await followedEpoch(JSON.parse(text), ledger, store)
  })
  const gateId = await store.alone('founding', () => founded(config, ledger, store, clock))
  const { verifierKey } = ledger
  await store.alone('epoch', async () => undefined)
  // An earlier run of this gate is one of the others by now, and ended as those are.
  const endLeft = async () => {
    await store.alone('people', async () => undefined)
    return store.alone('restored', () => endRestored(store, recorder, clock))
  }
  const requireWritable = () => shared.requireMember()
  const facts = { gateId, verifierKey, notices: [], requireWritable }
  const bucket = objects && filesInBucket(objects)
  return { store, ledger, recorder, clock, ...facts, shared, bucket, endLeft }
}

/** Errors: `state_error` where the ledger in the bucket was begun with a key that is not here. */
async function sharedKeyOf(config: Config, objects: S3Objects | null): Promise<KeyObject> {
  const path = `${config.ledgerDirectory}.key`
  // A bucket brings no key along, and one that is made anew signs another ledger.
  if (objects && !existsSync(path) && (await filesInBucket(objects).read(CHECKPOINT_FILE))) {
    throw new GatewayError(
      'state_error',
      `the ledger in ${objects.address} has its key at another gateway, and none is in ${path}`,
      'copy that file from a gateway that has it',
    )
  }
  return sharedKey(path)
}

/** The gate that the gateways of one ledger are: made by the first of them, known to the others by entry 0. */
async function founded(
  config: Config,
  ledger: SharedLedger,
  store: Store,
  clock: Clock,
): Promise<string> {
  const { verifierKey } = ledger
  const at = new Date(clock.nowMs()).toISOString()
  const first = await ledger.founded(() =>
    canonicalJson({ ...gateCreated(config, verifierKey), at } as unknown as Json),
  )
  const { ledgerKey } = JSON.parse(new TextDecoder().decode(first)) as { ledgerKey?: unknown }
  if (ledgerKey !== verifierKey) throw otherGate()
  const gateId = Buffer.from(ledger.firstEntryHash() ?? []).toString('hex')
  const known = await store.meta('gate')
  if (known !== undefined && known !== gateId) throw otherGate()
  if (known === undefined) await store.foundGate(gateId, await foundingPeople(ledger))
  const keyFile = `${config.ledgerDirectory}.vkey`
  if (!existsSync(keyFile)) writeFileSync(keyFile, `${verifierKey}\n`)
  return gateId
}
