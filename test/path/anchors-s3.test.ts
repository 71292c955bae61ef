// The checkpoint of a ledger in a bucket of S3, through the AWS SDK, against a store that speaks S3's conditional
// writes, and against moto where this machine has it; and a stranger who verifies a ledger by what is kept there.
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { anchored } from '@seconder/cli/anchored'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { type Anchor, Anchors } from '@seconder/gateway/record/anchors'
import { keptInS3, s3Anchor } from '@seconder/gateway/record/s3-anchor'
import { type FileLedger, openLedger } from '@seconder/ledger/ledger'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ObjectStore, startObjectStore, storeEnvironment } from '../fakes/object-store.ts'
import { MOTO, startMoto } from '../moto/moto-server.ts'

const SECONDER = [
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts'),
]
const { privateKey: signer } = generateKeyPairSync('ed25519')
const origin = 'seconder.example/anchored'
const address = 's3://kept/gate'
const LATEST = 'kept/gate/latest'
const ofSize = (size: number) => `kept/gate/checkpoints/${String(size).padStart(16, '0')}`

let folder: string
let ledger: FileLedger
let store: ObjectStore
const before = { ...process.env }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-s3-anchor-'))
  store = await startObjectStore('kept')
  Object.assign(process.env, storeEnvironment(store.url))
  ledger = await openLedger({ directory: join(folder, 'ledger'), origin, signer })
  writeFileSync(join(folder, 'ledger.vkey'), ledger.verifierKey)
  await append(300)
})

afterEach(async () => {
  await ledger.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})

async function append(count: number, to: FileLedger = ledger): Promise<void> {
  const entry = Buffer.from('{"at":"2026-01-01T00:00:00.000Z","type":"gate-started"}')
  await to.appendAll(Array.from({ length: count }, () => entry))
}

const inBucket = (endpoint = store.url) => s3Anchor({ address, endpoint })

function publishing(anchor: Anchor, from: FileLedger = ledger, name = 'ledger'): Anchors {
  const directory = join(folder, name)
  const publish = () => from.publish()
  return new Anchors({ directory, verifierKey: ledger.verifierKey, anchors: [anchor], publish })
}

/** In this process; what was written a moment ago is verified once, as what nobody writes to. */
async function problems(name: string): Promise<string> {
  const directory = join(folder, name)
  utimesSync(directory, 0, 0)
  const { notes } = await anchored(address)
  const options = { key: join(folder, 'ledger.vkey'), anchored: notes }
  const { report } = await verifyLedgerFolder(directory, options)
  return report.problems.map(({ message, code }) => `${message} (${code})`).join('\n')
}

async function verify(name: string) {
  const key = ['--key', join(folder, 'ledger.vkey')]
  const args = [...SECONDER, 'ledger', 'verify', join(folder, name), ...key, '--anchor', address]
  const ended = await promisify(execFile)(process.execPath, args).catch((e) => e)
  return { code: ended.code ?? 0, out: `${ended.stdout}${ended.stderr}` }
}

const text = (key: string) => store.objects.get(key)?.toString()

test('each checkpoint is an object that is written once, and `latest` is the newest', async () => {
  const anchors = publishing(inBucket())
  await anchors.publish()
  await append(5)
  await anchors.publish()
  await anchors.publish()
  expect(anchors.notices()).toEqual([])
  const { note } = ledger.checkpoint()
  expect([...store.objects.keys()].sort()).toEqual([ofSize(300), ofSize(305), LATEST])
  expect(text(LATEST)).toBe(note)
  expect(text(ofSize(305))).toBe(note)
  const ok = await verify('ledger')
  expect(ok.out).toContain('compared with 2 of the 2 checkpoints kept there')
  expect(ok.out).toContain('nothing before it was changed or cut off')
  expect(ok.code).toBe(0)
})

test('H13: a ledger that was rolled back or rewritten is not published over what is there, and verify names it', async () => {
  await ledger.publish()
  cpSync(join(folder, 'ledger'), join(folder, 'older'), { recursive: true })
  await append(5)
  await publishing(inBucket()).publish()
  const { note } = ledger.checkpoint()
  const fork = await openLedger({ directory: join(folder, 'fork'), origin, signer })
  await fork.appendAll(Array.from({ length: 400 }, () => Buffer.from('{"another":"past"}')))
  for (const [name, from] of [
    ['older', ledger],
    ['fork', fork],
  ] as const) {
    const anchors = publishing(inBucket(), from, name)
    await anchors.publish()
    expect(anchors.notices().join()).toContain('older or other files')
    expect(text(LATEST)).toBe(note)
  }
  expect(await problems('older')).toContain('had 305 entries before (rollback)')
  expect(await problems('fork')).toContain('(fork)')
  // Whoever holds the gate's host and the bucket's key writes what is newest; what is older was written once.
  store.objects.set(LATEST, Buffer.from(fork.checkpoint().note))
  store.objects.set(ofSize(400), Buffer.from(fork.checkpoint().note))
  expect(await problems('fork')).toContain('the first 305 entries are not those')
  // The honest ledger is stopped from agreeing with it, and says so.
  const anchors = publishing(inBucket())
  await append(200)
  await anchors.publish()
  expect(anchors.notices().join()).toContain('older or other files')
  await fork.close()
})

test('an older checkpoint put back as `latest` is seen by those of its size, and mended', async () => {
  const anchors = publishing(inBucket())
  await anchors.publish()
  const older = store.objects.get(LATEST) ?? Buffer.alloc(0)
  await append(5)
  await anchors.publish()
  store.objects.set(LATEST, older)
  expect(await inBucket().read()).toBe(ledger.checkpoint().note)
  // A crash between the two writes leaves the same; the next turn, with nothing new, ends it.
  await anchors.publish()
  expect(anchors.notices()).toEqual([])
  expect(text(LATEST)).toBe(ledger.checkpoint().note)
})

test('of two gateways that publish at once none is older over newer; a lost answer is looked up', async () => {
  const other = publishing(inBucket())
  let calls = 0
  store.mishap = ({ method, key }) => {
    calls += 1
    return method === 'PUT' && key === LATEST && calls < 5 ? 'lose the answer' : null
  }
  await publishing(inBucket()).publish()
  expect(text(LATEST)).toBe(ledger.checkpoint().note)
  const place = inBucket()
  let isOvertaken = false
  const slow: Anchor = {
    ...place,
    name: place.name,
    async write(note, found) {
      if (!isOvertaken) {
        isOvertaken = true
        await append(5)
        await other.publish()
      }
      await place.write(note, found)
    },
  }
  const anchors = publishing(slow)
  await append(1)
  await anchors.publish()
  expect(isOvertaken).toBe(true)
  expect(text(LATEST)).toBe(ledger.checkpoint().note)
  expect([...anchors.notices(), ...other.notices()]).toEqual([])
})

test('a bucket that refuses, races for ever, holds something else or is not there is said to be so', async () => {
  const anchors = publishing(inBucket())
  store.mishap = ({ method }) => (method === 'PUT' ? 'refuse' : null)
  await anchors.publish()
  expect(anchors.notices().join()).toContain('could not be published to s3://kept/gate/')
  store.mishap = ({ method }) => (method === 'PUT' ? 'race' : null)
  await anchors.publish()
  expect(anchors.notices()).toHaveLength(1)
  expect(store.objects.size).toBe(0)
  store.mishap = () => null
  store.objects.set(LATEST, Buffer.from('my own notes\n'))
  await anchors.publish()
  expect(anchors.notices().join()).toContain('is no checkpoint of this ledger')
  expect(text(LATEST)).toBe('my own notes\n')
  const place = s3Anchor({ address: 's3://no-such-bucket/x', endpoint: store.url })
  const nowhere = publishing(place)
  await nowhere.publish()
  expect(nowhere.notices()).toHaveLength(1)
  await expect(anchored('s3://no-such-bucket/x')).rejects.toThrow(
    'cannot read the anchor s3://no-such-bucket/x: listing s3://no-such-bucket/x/checkpoints/: NoSuchBucket',
  )
  await expect(anchored('s3://kept/elsewhere')).rejects.toThrow('there is no checkpoint in')
  await expect(anchored('s3://No/x')).rejects.toThrow('is not s3://BUCKET/PREFIX')
})

test('of many checkpoints a verifier reads the newest and others from all along', async () => {
  store.pageMax = 30
  for (let size = 1; size <= 70; size++) store.objects.set(ofSize(size), Buffer.from(`${size}`))
  const { notes, count } = await keptInS3({ address, endpoint: store.url }, 16)
  expect(count).toBe(70)
  expect(notes.length).toBe(16)
  expect(notes.slice(-8)).toEqual(Array.from({ length: 8 }, (_, at) => `${at + 63}`))
  expect(notes.slice(0, 3)).toEqual(['1', '8', '16'])
})

/** `npm run test:moto` */
const isOnMoto = MOTO !== undefined && process.env['SECONDER_MOTO'] === 'all'
test.skipIf(!isOnMoto)('the same on moto', async () => {
  const moto = await startMoto(MOTO ?? '')
  const client = new S3Client({ endpoint: moto.url, forcePathStyle: true })
  await client.send(
    new CreateBucketCommand({
      Bucket: 'kept',
      CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
    }),
  )
  const anchors = publishing(inBucket(moto.url))
  await anchors.publish()
  await append(5)
  await anchors.publish()
  expect(anchors.notices()).toEqual([])
  const { notes, count } = await keptInS3({ address, endpoint: moto.url })
  expect(count).toBe(2)
  expect(notes).toContain(ledger.checkpoint().note)
  client.destroy()
  await moto.close()
})
