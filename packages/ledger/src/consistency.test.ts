import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  entryOf,
  flipByte,
  ledgerOptions,
  temporaryDirectory,
  verifierKey,
} from '../test/temporary-ledger.ts'
import { proveConsistency } from './consistency.ts'
import { openLedger } from './ledger.ts'
import { nodePrimitives, nodeSigner } from './node.ts'
import { webPrimitives } from './web.ts'

const directory = temporaryDirectory().path
/** A checkpoint of each of these sizes, kept as the log grew. */
const SIZES = [0, 1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 600]
const kept = new Map<number, string>()

beforeAll(async () => {
  const ledger = await openLedger(ledgerOptions(directory))
  for (const size of SIZES) {
    const missing = Array.from({ length: size - ledger.size }, (_, at) => entryOf(ledger.size + at))
    if (missing.length > 0) await ledger.appendAll(missing)
    kept.set(size, ledger.checkpoint().note)
  }
  await ledger.close()
  return () => rmSync(directory, { recursive: true, force: true })
})

const readFile = async (name: string) => {
  try {
    return new Uint8Array(readFileSync(join(directory, name)))
  } catch {
    return null
  }
}
const note = (size: number) => kept.get(size) ?? ''
const prove = (older: string, newer: string, primitives = nodePrimitives) =>
  proveConsistency({ older, newer }, verifierKey, readFile, primitives)

test('any checkpoint goes on from any older one, by a proof from the tiles there are now', async () => {
  for (const older of SIZES) {
    for (const newer of SIZES.filter((size) => size >= older)) {
      const { proof } = await prove(note(older), note(newer))
      expect(proof.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(newer + 1)))
      if (older === 0 || older === newer) expect(proof).toEqual([])
    }
  }
  expect((await prove(note(3), note(600), webPrimitives)).proof.length).toBeGreaterThan(0)
})

test('a checkpoint of a fork goes on from none, nor any from it, though the key is the same', async () => {
  using other = temporaryDirectory()
  const fork = await openLedger(ledgerOptions(other.path))
  await fork.appendAll(Array.from({ length: 300 }, (_, at) => entryOf(at === 2 ? -1 : at)))
  const forked = fork.checkpoint().note
  await fork.close()
  await expect(prove(forked, note(600))).rejects.toMatchObject({ code: 'proof_invalid' })
  await expect(prove(note(256), forked)).rejects.toMatchObject({ code: 'proof_invalid' })
  await expect(prove(note(300), forked)).rejects.toMatchObject({ code: 'proof_invalid' })
})

test('the older one is not the larger one, and both are of this key, whole and signed', async () => {
  await expect(prove(note(600), note(300))).rejects.toMatchObject({ code: 'size_invalid' })
  const lied = note(300).replace('\n300\n', '\n299\n')
  await expect(prove(lied, note(600))).rejects.toMatchObject({ code: 'note_unverified' })
  await expect(prove('', note(600))).rejects.toMatchObject({ code: 'note_malformed' })
  const { signer } = ledgerOptions(directory)
  const vkey = nodeSigner('seconder.example/other', signer).verifierKey
  const notes = { older: note(300), newer: note(600) }
  await expect(proveConsistency(notes, vkey, readFile, nodePrimitives)).rejects.toMatchObject({
    code: 'note_unverified',
  })
})

test('a changed tile proves nothing, and a missing one is named', async () => {
  flipByte(directory, 'tile/0/001', 40)
  await expect(prove(note(257), note(600))).rejects.toMatchObject({ code: 'proof_invalid' })
  flipByte(directory, 'tile/0/001', 40)
  const without = async (name: string) => (name.startsWith('tile/0/001') ? null : readFile(name))
  const notes = { older: note(257), newer: note(600) }
  await expect(proveConsistency(notes, verifierKey, without, nodePrimitives)).rejects.toMatchObject(
    { code: 'ledger_corrupt' },
  )
})
