// A log that is followed: what is added is given once it is vouched for, and nothing of a log that has another past.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '@seconder/ledger/ledger'
import { afterAll, expect, test } from 'vitest'
import { VerifiedLedger } from './verified-ledger.ts'

const root = mkdtempSync(join(tmpdir(), 'seconder-verified-'))
const { privateKey } = generateKeyPairSync('ed25519')

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Adds entries to the log in this folder, made where there is none. */
async function add(name: string, count: number, word: string, signer: KeyObject = privateKey) {
  const directory = join(root, name)
  const ledger = await openLedger({ directory, origin: 'seconder.invalid/test', signer })
  writeFileSync(`${directory}.vkey`, `${ledger.verifierKey}\n`)
  for (let index = 0; index < count; index++) {
    const at = new Date(Date.UTC(2026, 0, 1) + ledger.size).toISOString()
    await ledger.append(Buffer.from(JSON.stringify({ at, type: 'read', word })))
  }
  await ledger.close()
  return directory
}

/** What lies in one folder is replaced by what lies in the other. */
function replaced(directory: string, by: string): void {
  rmSync(directory, { recursive: true })
  cpSync(by, directory, { recursive: true })
}

async function given(ledger: VerifiedLedger): Promise<number[]> {
  const indices: number[] = []
  for await (const { index } of ledger.entries()) indices.push(index)
  return indices
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index)

test('what is added is given, over the ends of bundles and from within one', async () => {
  const directory = await add('grows', 300, 'a')
  const ledger = await VerifiedLedger.open(directory, { follow: true })
  expect(await given(ledger)).toEqual(range(0, 300))
  expect(await ledger.goOn()).toBe(false)
  for (const [from, count] of [
    [300, 1],
    [301, 211],
    [512, 600],
  ] as const) {
    await add('grows', count, 'a')
    expect(await ledger.goOn()).toBe(true)
    expect(await given(ledger)).toEqual(range(from, from + count))
  }
  expect(await ledger.goOn()).toBe(false)
})

test.each([
  ['a fork that is longer', 400, 'b', true],
  ['one that was cut short', 200, 'a', true],
  ['one under another key', 400, 'a', false],
])('%s is not gone on with', async (what, count, word, isOwn) => {
  const name = what.replaceAll(' ', '-')
  const directory = await add(name, 300, 'a')
  const ledger = await VerifiedLedger.open(directory, { follow: true })
  await given(ledger)
  await add(name, 1, 'a')
  expect(await ledger.goOn()).toBe(true)
  expect(await given(ledger)).toEqual([300])
  const signer = isOwn ? privateKey : generateKeyPairSync('ed25519').privateKey
  replaced(directory, await add(`${name}-other`, count, word, signer))
  await expect(ledger.goOn()).rejects.toMatchObject({ code: 'ledger_unverified' })
})

test('a log that is changed after it was verified gives nothing of what was changed', async () => {
  const directory = await add('changed', 300, 'a')
  const ledger = await VerifiedLedger.open(directory)
  replaced(directory, await add('changed-other', 300, 'b'))
  await expect(given(ledger)).rejects.toMatchObject({ code: 'ledger_unverified' })
})

test('what breaks a rule is not gone on with: time goes on in a log that is followed as well', async () => {
  const directory = await add('rules', 10, 'a')
  const ledger = await VerifiedLedger.open(directory, { follow: true })
  await given(ledger)
  const later = await openLedger({ directory, origin: 'seconder.invalid/test', signer: privateKey })
  await later.append(Buffer.from(JSON.stringify({ at: '2020-01-01T00:00:00Z', type: 'read' })))
  await later.close()
  expect(await ledger.goOn()).toBe(true)
  await expect(given(ledger)).rejects.toThrow('the clock went back before it')
})
