// The files of a ledger in a bucket: written once each, the checkpoint never by an older one, and read again by
// strangers from the bucket and from any web server.
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { S3_DIRECTORY, s3Files } from '@seconder/gateway/cluster/s3-files'
import { S3Objects } from '@seconder/gateway/lib/s3-objects'
import { ledgerPlace } from '@seconder/gateway/record/record-config'
import { parsePostgresUrl } from '@seconder/gateway/state/postgres-address'
import { type Publisher, SharedLog } from '@seconder/ledger/shared-log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ObjectStore, startObjectStore, storeEnvironment } from '../fakes/object-store.ts'
import { MOTO, startMoto } from '../moto/moto-server.ts'

const READER = join(import.meta.dirname, '..', '..', 'examples', 'read-ledger.mjs')
const { privateKey: signer } = generateKeyPairSync('ed25519')
const origin = 'seconder.example/bucket'
const address = 's3://logs/gate'
const before = { ...process.env }

let store: ObjectStore

beforeEach(async () => {
  store = await startObjectStore('logs')
  Object.assign(process.env, storeEnvironment(store.url))
})

afterEach(async () => {
  await store.close()
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})

async function openLog(writer: string, endpoint = store.url) {
  const objects = new S3Objects({ address, endpoint })
  return SharedLog.open({ directory: S3_DIRECTORY, origin, signer, writer }, s3Files(objects))
}

const entry = (number: number) =>
  Buffer.from(`{"at":"2026-01-01T00:00:00.000Z","number":${number},"type":"gate-started"}`)
const entries = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => entry(from + at))

async function published(publisher: Publisher, from: number, count: number) {
  const checkpoint = await publisher.stage(entries(from, count))
  expect(await publisher.release(() => true)).toBe(true)
  return checkpoint
}

const text = (name: string) => store.objects.get(`logs/gate/${name}`)?.toString()

async function problems(place: string, key: string): Promise<string[]> {
  const { report } = await verifyLedgerFolder(place, { key })
  return report.problems.map(({ file, message, code }) => `${file}: ${message} (${code})`)
}

test('what is published is verified by a stranger from the bucket, in pages, and goes on', async () => {
  store.pageMax = 3
  const log = await openLog('a')
  const publisher = await log.publisher(log.empty())
  const first = await published(publisher, 0, 300)
  await published(publisher, 300, 1_000)
  const digest = await log.putPayload(Buffer.from('a document'))
  expect(await log.putPayload(Buffer.from('a document'))).toBe(digest)
  const seen: string[] = []
  const { report } = await verifyLedgerFolder(address, {
    key: log.verifierKey,
    since: first.note,
    onEntry: (_index, line) => void seen.push(line),
  })
  expect(report).toMatchObject({ ok: true, size: 1_300, payloads: 1, problems: [] })
  expect(seen.length).toBe(1_300)
  expect(Buffer.from((await log.read(1_299, 1_300)) ?? [])).toEqual(entry(1_299))
  // Another one goes on where it ended.
  const { note } = await (await openLog('b')).opened(text('checkpoint') ?? '')
  const other = await openLog('b')
  await published(await other.publisher(await other.opened(note)), 1_300, 5)
  expect(await problems(address, log.verifierKey)).toEqual([])
  await log.dropPayload(digest)
  await expect(other.readPayload(digest)).rejects.toMatchObject({ code: 'payload_unknown' })
})

test('a publisher that was deposed puts no older checkpoint over a newer one, whatever it knows', async () => {
  const log = await openLog('a')
  const publisher = await log.publisher(log.empty())
  await published(publisher, 0, 10)
  const older = store.objects.get('logs/gate/checkpoint') ?? Buffer.alloc(0)
  await publisher.stage(entries(10, 5))
  const other = await openLog('b')
  const successor = await other.publisher(await other.opened(older.toString()))
  const newest = await published(successor, 10, 20)
  await expect(publisher.release(() => true)).rejects.toThrow()
  expect(text('checkpoint')).toBe(newest.note)
  // It looked before the successor wrote, and writes after it: the bucket itself refuses.
  const deposed = await openLog('c')
  const late = await deposed.publisher(await deposed.opened(newest.note))
  await late.stage(entries(30, 5))
  let isOvertaken = false
  store.mishap = ({ method, key }) => {
    if (method === 'PUT' && key === 'logs/gate/checkpoint' && !isOvertaken) {
      isOvertaken = true
      return 'race'
    }
    return null
  }
  expect(await late.release(() => true)).toBe(true)
  expect(isOvertaken).toBe(true)
  expect(await problems(address, log.verifierKey)).toEqual([])
})

test('other bytes under the name of a tile, a bundle or a payload are another past, and are named', async () => {
  const log = await openLog('a')
  await published(await log.publisher(log.empty()), 0, 10)
  const { note } = await log.opened(text('checkpoint') ?? '')
  store.objects.set('logs/gate/tile/entries/000.p/12', Buffer.from('another past'))
  const other = await openLog('b')
  const publisher = await other.publisher(await other.opened(note))
  await expect(publisher.stage(entries(10, 2))).rejects.toThrow(
    '`s3://logs/gate/tile/entries/000.p/12` holds other bytes: another past was published there',
  )
  expect(text('checkpoint')).toBe(note)
  store.objects.delete('logs/gate/tile/entries/000.p/12')
  store.objects.set('logs/gate/tile/000.p/10', Buffer.from('x'))
  expect((await problems(address, log.verifierKey)).join()).toContain('unknown_file')
})

test('answers that are lost on the way are looked up; a bucket that refuses fails what waits for it', async () => {
  const log = await openLog('a')
  const publisher = await log.publisher(log.empty())
  const lost = new Set<string>()
  store.mishap = ({ method, key }) => {
    if (method !== 'PUT' || lost.has(key)) return null
    lost.add(key)
    return 'lose the answer'
  }
  await published(publisher, 0, 300)
  expect(lost.size).toBeGreaterThan(4)
  store.mishap = ({ method }) => (method === 'PUT' ? 'refuse' : null)
  await expect(log.putPayload(Buffer.from('x'))).rejects.toThrow('AccessDenied')
  await expect(publisher.stage(entries(300, 1))).rejects.toThrow('AccessDenied')
  store.mishap = () => null
  expect(await problems(address, log.verifierKey)).toEqual([])
})

/** Any web server that shows the files, what it was asked for, and the end of it. */
async function webServer() {
  const asked: string[] = []
  const server = http.createServer(({ url = '', method }, response) => {
    asked.push(url)
    const bytes = store.objects.get(`logs/gate${url.replace('/log', '')}`)
    response.writeHead(bytes ? 200 : 404).end(method === 'HEAD' ? undefined : bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { url, asked, close }
}

test('any web server that shows the files is verified too, by our reader and by the one of sixty lines', async () => {
  const log = await openLog('a')
  await published(await log.publisher(log.empty()), 0, 600)
  const { url, close } = await webServer()
  expect(await problems(url, log.verifierKey)).toEqual([])
  const read = await promisify(execFile)(process.execPath, [READER, url, log.verifierKey, '599'])
  expect(read.stdout).toContain('verified: entry 599 of the 600')
  const bundle = store.objects.get('logs/gate/tile/entries/001') ?? Buffer.alloc(0)
  const changed = Buffer.from(bundle)
  changed[60] = (changed[60] ?? 0) ^ 1
  store.objects.set('logs/gate/tile/entries/001', changed)
  expect((await problems(url, log.verifierKey)).join()).toContain('tile/entries/001')
  // What nobody signed does not say how much there is to ask for.
  const huge = text('checkpoint')?.replace('\n600\n', '\n9007199254740991\n') ?? ''
  store.objects.set('logs/gate/checkpoint', Buffer.from(huge))
  expect((await problems(url, log.verifierKey)).join()).toContain('checkpoint_invalid')
  await close()
})

test('what an epoch says counts under its own digest alone, and a payload that is no digest is asked for nowhere', async () => {
  const log = await openLog('a')
  const at = '2026-01-01T00:00:00.000Z'
  const content = Buffer.from('{"retention":{"payloadDays":30}}')
  const version = await log.putPayload(content)
  const strange = '../../checkpoint'
  const lines = [
    { type: 'epoch-activated', at, epoch: 1, version, content: version, acts: [] },
    { type: 'request-opened', at, request: 'r-1', document: strange, expiresAt: at },
    { type: 'retention-ended', at, epoch: 1, days: 1, payloads: [] },
  ]
  const publisher = await log.publisher(log.empty())
  await publisher.stage(lines.map((line) => Buffer.from(JSON.stringify(line))))
  await publisher.release(() => true)
  const { url, asked, close } = await webServer()
  const name = `payload/${version.slice(0, 2)}/${version}`
  store.objects.set(`logs/gate/${name}`, Buffer.from('{"retention":{"payloadDays":1}}'))
  for (const place of [url, address]) {
    const found = (await problems(place, log.verifierKey)).join()
    expect(found).toContain('no epoch in force says that payloads are kept so long')
    expect(found).toContain(`payload/../${strange}: the entry names it, and it is not there`)
  }
  expect(asked.filter((path) => !/^\/log\/(checkpoint|tile\/.*|payload\/.*)$/.test(path))).toEqual(
    [],
  )
  // Whoever reads the report knows that a web server's payloads were not held against their digests.
  const key = { key: log.verifierKey }
  expect(await verifyLedgerFolder(url, key)).toMatchObject({ payloadsRead: false })
  expect(await verifyLedgerFolder(address, key)).toMatchObject({ payloadsRead: true })
  await close()
})

test('a bucket without a database that orders the entries is refused, and says what to do', () => {
  const paths = { under: (name: string) => `/srv/${name}`, environ: {} }
  const state = { statePath: '/state.db' }
  const database = parsePostgresUrl('postgres://gate@127.0.0.1/gate')
  expect(() => ledgerPlace(address, { ...paths, state })).toThrow(/needs `state: postgres/)
  expect(() => ledgerPlace('s3://No', { ...paths, state })).toThrow(/is no bucket/)
  expect(ledgerPlace(address, { ...paths, state: { ...state, database } })).toMatchObject({
    ...{ ledgerDirectory: '/srv/.seconder/ledger', ledgerBucket: { address } },
  })
})

/** `npm run test:moto` */
const isOnMoto = MOTO !== undefined && process.env['SECONDER_MOTO'] === 'all'
test.skipIf(!isOnMoto)('the same on moto', async () => {
  const moto = await startMoto(MOTO ?? '')
  process.env['AWS_ENDPOINT_URL_S3'] = moto.url
  const client = new S3Client({ endpoint: moto.url, forcePathStyle: true })
  const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' } as const
  await client.send(new CreateBucketCommand({ Bucket: 'logs', CreateBucketConfiguration }))
  const log = await openLog('a', moto.url)
  const publisher = await log.publisher(log.empty())
  const first = await published(publisher, 0, 10)
  await publisher.stage(entries(10, 5))
  const other = await openLog('b', moto.url)
  await published(await other.publisher(first), 10, 300)
  await expect(publisher.release(() => true)).rejects.toThrow()
  const digest = await log.putPayload(Buffer.from('a document'))
  expect(await other.putPayload(Buffer.from('a document'))).toBe(digest)
  expect(await problems(address, log.verifierKey)).toEqual([])
  await log.dropPayload(digest)
  await expect(other.readPayload(digest)).rejects.toMatchObject({ code: 'payload_unknown' })
  client.destroy()
  await moto.close()
})
