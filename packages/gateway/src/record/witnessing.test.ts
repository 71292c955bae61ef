// Real witnesses behind real sockets, and the ledger of a gate that they watch.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cosignaturesOf, cosignatureVerifier } from '@seconder/ledger/cosignature'
import { type FileLedger, openLedger } from '@seconder/ledger/ledger'
import { nodePrimitives } from '@seconder/ledger/node'
import { Witness } from '@seconder/ledger/witness'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Entry } from './entry.ts'
import type { WitnessDemand } from './record-config.ts'
import { witnessedRecorder } from './witnessed-recorder.ts'
import { cosignedPath, Witnessing } from './witnessing.ts'

const LONG_MS = 60_000
const { privateKey: signer } = generateKeyPairSync('ed25519')
const origin = 'seconder.example/witnessed'

let folder: string
let ledger: FileLedger
const closing: (() => Promise<void>)[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-witnessing-'))
  ledger = await openLedger({ directory: join(folder, 'ledger'), origin, signer })
  await append(3)
})

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

async function append(count: number): Promise<void> {
  await ledger.appendAll(Array.from({ length: count }, (_, at) => Buffer.from(`entry ${at}`)))
}

interface Listed {
  readonly url: string
  readonly key: string
}

/** A witness behind a socket; `answers` lets a test hold it up, or lie. */
async function witness(
  name: string,
  key: KeyObject,
  answers?: () => Promise<string | null>,
): Promise<Listed> {
  const opened = await Witness.open({
    directory: join(folder, name),
    name: `witness.example/${name}`,
    key,
    ledgers: [ledger.verifierKey],
  })
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const own = answers ? await answers() : null
    if (own !== null) return response.writeHead(200).end(own)
    const { status, body } = await opened.add(Buffer.concat(chunks).toString())
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await opened.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, key: opened.verifierKey }
}

const newKey = () => generateKeyPairSync('ed25519').privateKey

function witnessing(list: Listed[], threshold: number, directory = join(folder, 'ledger')) {
  const config = { list, threshold, timeoutMs: 5_000, required: true }
  const publish = () => ledger.publish()
  return new Witnessing({ directory, verifierKey: ledger.verifierKey, config, publish })
}

function demand(list: Listed[], threshold: number, timeoutMs = LONG_MS): WitnessDemand {
  return { threshold, timeoutMs, keys: list.map(({ key }) => key) }
}

async function keptNames(list: Listed[]): Promise<string[]> {
  const note = readFileSync(cosignedPath(join(folder, 'ledger')), 'utf8')
  const verifiers = list.map(({ key }) => cosignatureVerifier(key, nodePrimitives))
  return (await cosignaturesOf(note, verifiers)).map(({ name }) => name).sort()
}

test('checkpoints are cosigned as the ledger grows, and the note is kept with every cosignature', async () => {
  const list = [await witness('w1', newKey()), await witness('w2', newKey())]
  const asking = witnessing(list, 2)
  await asking.cosigned(3, demand(list, 2))
  expect(await keptNames(list)).toEqual(['witness.example/w1', 'witness.example/w2'])
  await append(400)
  await asking.cosigned(403, demand(list, 2))
  expect(readFileSync(cosignedPath(join(folder, 'ledger')), 'utf8')).toContain('\n403\n')
  expect(asking.notices()).toEqual([])
  // A gate that was restarted knows nothing of what they saw, and is told.
  await append(1)
  await witnessing(list, 2).cosigned(404, demand(list, 2))
})

test('one witness that never answers holds up nobody while enough others do', async () => {
  const never = new Promise<null>(() => undefined)
  const list = [await witness('w1', newKey()), await witness('slow', newKey(), () => never)]
  await witnessing(list, 1).cosigned(3, demand(list, 1))
  const [first = { url: '', key: '' }] = list
  // Nor the next one who waits, while the first question is still open.
  const asking = witnessing(list, 1)
  await asking.cosigned(3, demand(list, 1))
  await append(5)
  await asking.cosigned(8, demand(list, 1))
  expect(await keptNames([first])).toEqual(['witness.example/w1'])
  const short = witnessing(list, 2).cosigned(3, demand(list, 2, 300))
  await expect(short).rejects.toMatchObject({ code: 'not_witnessed' })
})

test('a witness that is slow, or another gateway, puts no older cosigned checkpoint over a newer one', async () => {
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>()
  const { promise: isReleased, resolve: release } = Promise.withResolvers<null>()
  const slow = await witness('slow', newKey(), () => {
    asked()
    return isReleased
  })
  const quick = await witness('w1', newKey())
  const early = witnessing([slow], 1).cosigned(3, demand([slow], 1))
  await isAsked
  await append(5)
  await witnessing([quick], 1).cosigned(8, demand([quick], 1))
  const kept = () => readFileSync(cosignedPath(join(folder, 'ledger')), 'utf8')
  const newest = kept()
  expect(newest).toContain('\n8\n')
  release(null)
  await early
  expect(kept()).toBe(newest)
})

test('H13: a witness with a wrong key, or one that answers lines of another, does not count', async () => {
  const right = await witness('w1', newKey())
  const other = await witness('w2', newKey())
  const wrong = [{ ...right, key: other.key }]
  await expect(witnessing(wrong, 1).cosigned(3, demand(wrong, 1, 300))).rejects.toMatchObject({
    code: 'not_witnessed',
  })
  const lines = ['', 'nonsense', `— witness.example/w3 ${'A'.repeat(100)}\n`, 'x'.repeat(200_000)]
  for (const line of lines) {
    const lying = [await witness(`lies-${line.length}`, newKey(), async () => line)]
    await expect(witnessing(lying, 1).cosigned(3, demand(lying, 1, 200))).rejects.toMatchObject({
      code: 'not_witnessed',
    })
  }
  expect(existsSync(cosignedPath(join(folder, 'ledger')))).toBe(false)
})

test('one witness listed twice is one witness', async () => {
  const one = await witness('w1', newKey())
  const twice = [one, one]
  await expect(witnessing(twice, 2).cosigned(3, demand(twice, 2, 300))).rejects.toMatchObject({
    code: 'not_witnessed',
  })
})

test('H13: a ledger that was rolled back is cosigned no more, and the operator is told', async () => {
  const list = [await witness('w1', newKey())]
  await ledger.publish()
  const older = join(folder, 'older')
  cpSync(join(folder, 'ledger'), older, { recursive: true })
  await append(10)
  await witnessing(list, 1).cosigned(13, demand(list, 1))
  const back = witnessing(list, 1, older)
  await expect(back.cosigned(3, demand(list, 1, 300))).rejects.toMatchObject({
    code: 'not_witnessed',
  })
  expect(back.notices()[0]).toMatch(/saw 13 entries of this ledger, which has 3/)
})

test('an intent that was reviewed and is not cosigned is not begun: the ledger says so, and it is refused', async () => {
  const written: Entry['type'][] = []
  const outcomes: unknown[] = []
  const ended: string[] = []
  const recorder = {
    record: async (entry: Parameters<ReturnType<typeof witnessedRecorder>['record']>[0]) => {
      written.push(entry.type)
      if (entry.type === 'outcome') outcomes.push(entry.outcome)
      return 0
    },
    keep: async () => '',
    payload: async () => '',
    owed: () => ({ id: '', text: '', sinceMs: 0 }),
    recordOwed: async () => undefined,
    recordThen: async <T>(_entry: unknown, change: (index: number) => Promise<T>) => change(0),
    onRecorded: () => () => undefined,
  }
  const refuses = { cosigned: () => Promise.reject(new Error('no')) }
  const demanded = { threshold: 1, timeoutMs: 1, keys: [] }
  const facts = { session: 's', operator: 'alice', agent: 'a', role: 'r', operation: 'o', epoch: 1 }
  const lists = { resources: [], environments: [], effects: [], policies: [] }
  const intent = {
    type: 'intent',
    effect: 'e-1',
    request: 'r-1',
    observed: null,
    digest: 'd',
  } as const
  const base = { ...intent, ...facts, ...lists }
  const options = { recorder, endEffect: (id: string) => ended.push(id) }
  const strict = witnessedRecorder({ ...options, witnessing: refuses, demand: () => demanded })
  await expect(strict.record({ ...base, grant: 'g-1' })).rejects.toThrow('no')
  expect(written).toEqual(['intent', 'outcome'])
  expect(outcomes).toMatchObject([{ result: 'withheld' }])
  expect(ended).toEqual(['e-1'])
  // What policy let pass alone waits for nobody, nor does anything where no epoch demands it.
  await strict.record({ ...base, request: null, grant: null })
  const lax = witnessedRecorder({ ...options, witnessing: refuses, demand: () => undefined })
  await lax.record({ ...base, grant: 'g-2' })
})
