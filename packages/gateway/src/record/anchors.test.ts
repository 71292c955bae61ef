// The checkpoint of a ledger, published to a file and to a real git repository; and what happens when the
// ledger does not go on from what is there.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FileLedger, openLedger } from '@seconder/ledger/ledger'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Anchor, Anchors, fileAnchor, gitAnchor } from './anchors.ts'

const { privateKey: signer } = generateKeyPairSync('ed25519')
let folder: string
let ledger: FileLedger

const under = (name: string) => join(folder, name)
const git = (at: string, ...args: string[]) =>
  execFileSync('git', ['-C', at, ...args], { encoding: 'utf8' })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-anchors-'))
  const origin = 'seconder.example/anchored'
  ledger = await openLedger({ directory: under('ledger'), origin, signer })
  mkdirSync(under('repository'))
  git(under('repository'), 'init', '--quiet')
  execFileSync('git', ['init', '--quiet', '--bare', under('remote.git')])
  git(under('repository'), 'remote', 'add', 'origin', under('remote.git'))
  await append(300)
})

afterEach(async () => {
  await ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

async function append(count: number): Promise<void> {
  await ledger.appendAll(Array.from({ length: count }, (_, at) => Buffer.from(`entry ${at}`)))
}

function publishing(anchors: readonly Anchor[], directory = under('ledger')): Anchors {
  const publish = () => ledger.publish()
  return new Anchors({ directory, verifierKey: ledger.verifierKey, anchors, publish })
}

const places = () => [fileAnchor(under('kept')), gitAnchor(under('repository'), 'origin')]

test('every checkpoint is in the file and, with those before it, in the repository and its remote', async () => {
  const anchors = publishing(places())
  await anchors.publish()
  await append(5)
  await anchors.publish()
  await anchors.publish()
  expect(anchors.notices()).toEqual([])
  const { note } = ledger.checkpoint()
  expect(readFileSync(under('kept'), 'utf8')).toBe(note)
  for (const at of [under('repository'), under('remote.git')]) {
    expect(git(at, 'show', 'HEAD:checkpoint')).toBe(note)
    expect(git(at, 'log', '--format=%s').trim().split('\n')).toEqual([
      'checkpoint 305',
      'checkpoint 300',
    ])
  }
})

test('H13: an anchor is not overwritten by a ledger that was rolled back or rewritten, and that is said', async () => {
  await ledger.publish()
  cpSync(under('ledger'), under('older'), { recursive: true })
  await append(5)
  await publishing(places()).publish()
  const { note } = ledger.checkpoint()
  const origin = 'seconder.example/anchored'
  const fork = await openLedger({ directory: under('fork'), origin, signer })
  await fork.appendAll(Array.from({ length: 400 }, () => Buffer.from('another past')))
  await fork.close()
  for (const directory of [under('older'), under('fork')]) {
    const anchors = publishing(places(), directory)
    await anchors.publish()
    expect(anchors.notices()).toHaveLength(2)
    for (const words of anchors.notices()) expect(words).toContain('older or other files')
    expect(readFileSync(under('kept'), 'utf8')).toBe(note)
    expect(git(under('repository'), 'show', 'HEAD:checkpoint')).toBe(note)
  }
})

test('what is no checkpoint of this ledger stays, and a place that is not there is said to be so', async () => {
  writeFileSync(under('kept'), 'my own notes\n')
  const missing = [
    fileAnchor(under('kept')),
    fileAnchor(under('no/where')),
    gitAnchor(under('no'), undefined),
  ]
  const anchors = publishing(missing)
  await anchors.publish()
  expect(readFileSync(under('kept'), 'utf8')).toBe('my own notes\n')
  const [kept, nowhere, repository] = anchors.notices()
  expect(kept).toContain('is no checkpoint of this ledger')
  expect(nowhere).toContain('could not be published')
  expect(repository).toContain('could not be published')
  rmSync(under('kept'))
  await anchors.publish()
  expect(anchors.notices()).toHaveLength(2)
})

test('of two gateways that publish at once, none puts an older checkpoint over a newer one', async () => {
  for (const place of places()) {
    const other = publishing([place])
    let isOvertaken = false
    const slow: Anchor = {
      ...place,
      // Between its look and its write the ledger grows, and the other one is faster.
      async write(note, before) {
        if (!isOvertaken) {
          isOvertaken = true
          await append(5)
          await other.publish()
        }
        await place.write(note, before)
      },
    }
    const anchors = publishing([slow])
    await anchors.publish()
    expect(isOvertaken).toBe(true)
    expect(await place.read()).toBe(ledger.checkpoint().note)
    expect([...anchors.notices(), ...other.notices()]).toEqual([])
  }
})

test('one gateway publishes one checkpoint after another, and what is asked for meanwhile is done', async () => {
  const file = fileAnchor(under('kept'))
  const meanwhile: Promise<void>[] = []
  let inside = 0
  let most = 0
  const watched: Anchor = {
    ...file,
    async read() {
      inside += 1
      most = Math.max(most, inside)
      if (meanwhile.length < 2) {
        await append(1)
        meanwhile.push(anchors.publish(), anchors.publish())
        await append(1)
      }
      const there = await file.read()
      inside -= 1
      return there
    },
  }
  const anchors = publishing([watched])
  await anchors.publish()
  await Promise.all(meanwhile)
  expect(most).toBe(1)
  const { size, note } = ledger.checkpoint()
  expect(size).toBe(302)
  expect(readFileSync(under('kept'), 'utf8')).toBe(note)
  expect(anchors.notices()).toEqual([])
})

test('what people keep in the repository beside the checkpoint stays, and what they staged is not committed', async () => {
  const at = under('repository')
  const own = ['-c', 'user.name=a', '-c', 'user.email=a@localhost']
  writeFileSync(join(at, 'README'), 'kept by us\n')
  git(at, 'add', 'README')
  git(at, ...own, 'commit', '--quiet', '-m', 'ours')
  writeFileSync(join(at, 'draft'), 'not yet\n')
  git(at, 'add', 'draft')
  const anchors = publishing([gitAnchor(at, 'origin')])
  await anchors.publish()
  await append(5)
  await anchors.publish()
  expect(anchors.notices()).toEqual([])
  expect(git(at, 'ls-tree', '--name-only', 'HEAD').trim().split('\n')).toEqual([
    'README',
    'checkpoint',
  ])
  expect(git(at, 'status', '--porcelain')).toBe('A  draft\n')
  expect(readFileSync(join(at, 'checkpoint'), 'utf8')).toBe(ledger.checkpoint().note)
})
