// The syncs are where they must be: after a power loss at every step, in several ways of losing
// what was not synced, the ledger opens, has every acknowledged entry, goes on, and verifies.

import { expect, test } from 'vitest'
import { type Ledger, openLedger } from '../src/ledger.ts'
import { nodePrimitives } from '../src/node.ts'
import { verifyLedger } from '../src/verify.ts'
import { crashingFiles } from './crashing-files.ts'
import { PowerLossFiles } from './power-loss-files.ts'
import { entryOf, ledgerOptions, seededRandom, verifierKey } from './temporary-ledger.ts'

const DIRECTORY = '/state/ledger'
const options = ledgerOptions(DIRECTORY)
const PAYLOAD = Buffer.from('a payload')

interface Promised {
  size: number
  note: string | undefined
  payload: string | undefined
}

/** One session that may crash at any step; what it was told is recorded goes to `promised`. */
async function session(files: PowerLossFiles, crashAt: number, promised: Promised) {
  const crashing = crashingFiles(crashAt, () => {}, files)
  let ledger: Ledger | undefined
  try {
    ledger = await openLedger(options, crashing)
    for (const batch of [1, 5, 255, 40]) {
      const first = ledger.size
      await Promise.all(
        Array.from({ length: batch }, (_, at) => ledger?.append(entryOf(first + at))),
      )
      promised.size = ledger.size
      promised.note = ledger.checkpoint().note
    }
    promised.payload = await ledger.putPayload(PAYLOAD)
  } catch (error) {
    if (!crashing.isCrashed) throw error
  }
  await ledger?.close().catch((error: unknown) => {
    if (!crashing.isCrashed) throw error
  })
  return crashing.isCrashed
}

async function checkGoesOn(files: PowerLossFiles, promised: Promised, label: string) {
  const { note } = promised
  const acknowledged = note === undefined ? {} : { lastAcknowledged: note }
  const ledger = await openLedger({ ...options, ...acknowledged }, files)
  expect(ledger.size, label).toBeGreaterThanOrEqual(promised.size)
  for (let index = 0; index < promised.size; index++) {
    if (!entryOf(index).equals(await ledger.read(index))) expect.fail(`${label}: entry ${index}`)
  }
  if (promised.payload !== undefined) {
    expect(PAYLOAD.equals(await ledger.readPayload(promised.payload))).toBe(true)
  }
  await ledger.append(entryOf(ledger.size))
  await ledger.close()
  const since = ledger.checkpoint().note
  const source = files.source(DIRECTORY)
  const report = await verifyLedger(source, { verifierKey, since, primitives: nodePrimitives })
  expect(report.problems, label).toEqual([])
}

for (const seed of [1, 2, 3, 4]) {
  test(`a power loss at every step loses nothing acknowledged (seed ${seed})`, async () => {
    let rounds = 0
    for (let crashAt = 1; ; crashAt++) {
      const random = seededRandom(seed * 1000 + crashAt)
      const files = new PowerLossFiles()
      await files.makeDirectory('/state')
      await files.syncDirectory('/')
      const promised: Promised = { size: 0, note: undefined, payload: undefined }
      await session(files, Number.POSITIVE_INFINITY, promised)
      if (!(await session(files, crashAt, promised))) break
      files.losePower(random)
      // A second loss, during recovery or soon after.
      await session(files, 1 + Math.floor(random() * 40), promised)
      files.losePower(random)
      await checkGoesOn(files, promised, `seed ${seed}, step ${crashAt}`)
      rounds += 1
    }
    expect(rounds).toBeGreaterThan(60)
  })
}
