// Durable appends against SQLite with FULL sync, and verification against hashing alone, on one disk
// and in turn.
import { generateKeyPairSync, hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { verifyDirectory } from '@seconder/ledger/directory'
import { type FileLedger, openLedger } from '@seconder/ledger/ledger'
import { tilePath } from '@seconder/ledger/tiles'
import { startCpu } from './cpu-clock.ts'
import { type Bench, type BenchOptions, figure, quotient, type Row } from './result.ts'

const ENTRY_BYTES = 600
/** Appenders at once beside rows in one SQLite transaction. */
const WIDTHS = [1, 100, 1_000]
const VERIFIED_ENTRIES = 256_000
const VERIFY_AIM = 0.8

export const ledgerBench: Bench = async (options) => {
  const rows = [...(await appendRows(options)), ...(await verifyRows(options))]
  const notes = [
    `entries of ${ENTRY_BYTES} bytes; ours signs a checkpoint for each batch and grows the tree`,
    'peer: node:sqlite, WAL, synchronous=FULL, one blob in a row; a batch is one transaction',
    'at once: as many callers as the peer has rows in a batch, each waits for its own entry, and nobody groups them',
    'batches: one caller gives a batch and waits for it, as the peer does',
    'verification in one thread is per second of CPU, with a thread for each core by the clock',
    'hashing alone: the SHA-256 of each leaf, from the same bytes in memory, and of one node for each entry; nothing read or compared',
  ]
  return { name: 'ledger', title: 'durable appends, and verification', rows, notes }
}

async function appendRows(options: BenchOptions): Promise<Row[]> {
  const { scratch, seconds, rounds, progress } = options
  const ledger = await newLedger(join(scratch, 'appends'))
  const database = newDatabase(join(scratch, 'appends.db'))
  const insert = database.prepare('INSERT INTO entries (entry) VALUES (?)')
  const rows: Row[] = []
  try {
    for (const width of WIDTHS) {
      const rates: Rates = { own: [], together: [], peer: [] }
      for (let round = -1; round < rounds; round += 1) {
        progress(`ledger: ${width} at once, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
        const own = await appendRate(ledger, width, seconds)
        const peer = insertRate(database, insert, width, seconds)
        const together = width === 1 ? 0 : await togetherRate(ledger, width, seconds)
        if (round < 0) continue
        rates.own.push(own)
        rates.peer.push(peer)
        rates.together.push(together)
      }
      rows.push(appendRow(`${width.toLocaleString('en-US')} at once`, width, rates.own, rates))
      if (width === 1) continue
      const what = `batches of ${width.toLocaleString('en-US')}`
      rows.push(appendRow(what, width, rates.together, rates))
    }
  } finally {
    database.close()
    await ledger.close()
  }
  return rows
}

interface Rates {
  readonly own: number[]
  readonly together: number[]
  readonly peer: number[]
}

function appendRow(how: string, width: number, own: number[], { peer }: Rates): Row {
  const ratio = quotient(own, peer)
  return {
    what: `durable appends, ${how}`,
    ours: figure(own, '/s'),
    peer: figure(peer, '/s'),
    peerName: width === 1 ? 'SQLite, row by row' : `SQLite, batches of ${width}`,
    ratio,
    aim: '> 1',
    reached: ratio > 1,
  }
}

function newLedger(directory: string): Promise<FileLedger> {
  const { privateKey } = generateKeyPairSync('ed25519')
  return openLedger({ directory, origin: 'seconder.invalid/bench', signer: privateKey })
}

function newDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL')
  database.exec('CREATE TABLE entries (id INTEGER PRIMARY KEY, entry BLOB NOT NULL)')
  return database
}

/** Each appender waits for its entry to be durable before it appends the next. */
async function appendRate(ledger: FileLedger, appenders: number, seconds: number): Promise<number> {
  const begun = performance.now()
  let count = 0
  const appender = async () => {
    while (performance.now() - begun < seconds * 1000) {
      await ledger.append(entryOf(count))
      count += 1
    }
  }
  await Promise.all(Array.from({ length: appenders }, appender))
  return (count * 1000) / (performance.now() - begun)
}

/** One caller, as the peer has one: a batch is given at once, and waited for. */
async function togetherRate(ledger: FileLedger, batch: number, seconds: number): Promise<number> {
  const begun = performance.now()
  let count = 0
  while (performance.now() - begun < seconds * 1000) {
    await ledger.appendAll(Array.from({ length: batch }, () => entryOf(count++)))
  }
  return (count * 1000) / (performance.now() - begun)
}

function insertRate(
  database: DatabaseSync,
  insert: ReturnType<DatabaseSync['prepare']>,
  batch: number,
  seconds: number,
): number {
  const begun = performance.now()
  let count = 0
  while (performance.now() - begun < seconds * 1000) {
    if (batch > 1) database.exec('BEGIN')
    for (let row = 0; row < batch; row += 1) {
      insert.run(entryOf(count))
      count += 1
    }
    if (batch > 1) database.exec('COMMIT')
  }
  return (count * 1000) / (performance.now() - begun)
}

/** Entries differ, as those of a gate do; both sides pay for making one. */
function entryOf(index: number): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES).fill(120)
  new DataView(entry.buffer).setUint32(0, index)
  return entry
}

async function verifyRows({ scratch, rounds, progress }: BenchOptions): Promise<Row[]> {
  progress(`ledger: writing ${VERIFIED_ENTRIES} entries to verify`)
  const directory = join(scratch, 'verified')
  const ledger = await newLedger(directory)
  const { verifierKey } = ledger
  const chunk = 8_000
  for (let done = 0; done < VERIFIED_ENTRIES; done += chunk) {
    await Promise.all(
      Array.from({ length: chunk }, (_, index) => ledger.append(entryOf(done + index))),
    )
  }
  await ledger.close()
  const rates: Record<'own' | 'hashing' | 'threads' | 'oneThread', number[]> = {
    own: [],
    hashing: [],
    threads: [],
    oneThread: [],
  }
  const bundles = bundlesOf(directory)
  for (let round = -1; round < rounds; round += 1) {
    progress(`ledger: verification, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
    const alone = await verifyRate(directory, verifierKey, 0)
    const hashed = hashRate(bundles)
    const threaded = await verifyRate(directory, verifierKey, availableParallelism())
    if (round < 0) continue
    rates.own.push(alone.perCpu)
    rates.hashing.push(hashed)
    rates.threads.push(threaded.perClock)
    rates.oneThread.push(alone.perClock)
  }
  const ratio = quotient(rates.own, rates.hashing)
  return [
    {
      what: 'verification from the files alone, entries',
      ours: figure(rates.own, '/s'),
      peer: figure(rates.hashing, '/s'),
      peerName: 'hashing alone',
      ratio,
      aim: `>= ${VERIFY_AIM}`,
      reached: ratio >= VERIFY_AIM,
    },
    {
      what: `the same with ${availableParallelism()} threads, by the clock`,
      ours: figure(rates.threads, '/s'),
      peer: figure(rates.oneThread, '/s'),
      peerName: 'in one thread',
      ratio: quotient(rates.threads, rates.oneThread),
      aim: '-',
      reached: null,
    },
  ]
}

async function verifyRate(directory: string, verifierKey: string, threads: number) {
  const begun = performance.now()
  const usedSeconds = startCpu()
  const { ok, size } = await verifyDirectory(directory, { verifierKey, threads })
  const seconds = usedSeconds()
  if (!ok || size !== VERIFIED_ENTRIES) throw new Error('the ledger of the bench does not verify')
  return { perCpu: size / seconds, perClock: (size * 1000) / (performance.now() - begun) }
}

/** What the log holds, in memory. */
function bundlesOf(directory: string): Buffer[] {
  return Array.from({ length: VERIFIED_ENTRIES / 256 }, (_, index) => {
    const tile = { level: 'entries', index, width: 256 } as const
    return readFileSync(join(directory, tilePath(tile)))
  })
}

/** RFC 9162 section 2.1: a leaf is hashed with one byte before it, a node is 65 bytes. */
function hashRate(bundles: readonly Buffer[]): number {
  const node = new Uint8Array(65)
  const step = 2 + ENTRY_BYTES
  const usedSeconds = startCpu()
  for (const bundle of bundles) {
    for (let at = 1; at < bundle.length; at += step) {
      hash('sha256', bundle.subarray(at, at + 1 + ENTRY_BYTES), 'binary')
      hash('sha256', node, 'binary')
    }
  }
  return VERIFIED_ENTRIES / usedSeconds()
}
