// What a ledger meets on a disk that is full, or under a key that is not its own: each named, and nothing
// that was acknowledged is lost.
import { generateKeyPairSync } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import {
  checkLedger,
  copyLedger,
  entryOf,
  ledgerOptions,
  temporaryDirectory,
} from '../test/temporary-ledger.ts'
import { type Files, nodeFiles } from './files.ts'
import { openLedger } from './ledger.ts'

class NoSpace extends Error {
  readonly code = 'ENOSPC'
}

/** A disk on which this many bytes can still be written; a write that does not fit is cut short. */
function fullAfter(bytesLeft: number): Files & { isFull: boolean } {
  const files = nodeFiles()
  let left = bytesLeft
  const disk = {
    ...files,
    isFull: false,
    async create(path: string) {
      const file = await files.create(path)
      return {
        ...file,
        async write(bytes: Uint8Array, position: number) {
          const fits = Math.min(left, bytes.length)
          left -= fits
          await file.write(bytes.subarray(0, fits), position)
          if (fits === bytes.length) return
          disk.isFull = true
          throw new NoSpace('no space left on device')
        },
      }
    },
  }
  return disk
}

test('a disk that fills up anywhere stops the ledger, and nothing that was acknowledged is lost', async () => {
  let isEverFull = true
  // The journal's zeros come first; from there on in steps, into records, tiles, bundles and checkpoint.
  for (let bytes = 524_288; isEverFull; bytes += 40_009) {
    using directory = temporaryDirectory()
    const disk = fullAfter(bytes)
    let acknowledged = 0
    const stopped: unknown[] = []
    try {
      const options = {
        ...ledgerOptions(directory.path),
        onFatal: (error: Error) => stopped.push(error),
      }
      const ledger = await openLedger(options, disk)
      for (let batch = 0; batch < 4; batch++) {
        await ledger.appendAll(Array.from({ length: 90 }, (_, at) => entryOf(acknowledged + at)))
        acknowledged = ledger.size
      }
      await ledger.publish()
      await ledger.close()
    } catch (error) {
      expect(disk.isFull).toBe(true)
      expect(stopped).toHaveLength(acknowledged === 0 && stopped.length === 0 ? 0 : 1)
      expect(['ledger_stopped', 'ENOSPC']).toContain((error as { code?: string }).code)
    }
    isEverFull = disk.isFull
    // A process that stopped lets go of its lock; this one did not end, so the files are looked at elsewhere.
    using copy = temporaryDirectory()
    // A publication that was under way may still take a file out of the folder while it is copied.
    await vi.waitFor(() => copyLedger(directory.path, copy.path), { timeout: 30_000 })
    const again = await openLedger(ledgerOptions(copy.path))
    expect(again.size).toBeGreaterThanOrEqual(acknowledged)
    await again.close()
    expect((await checkLedger(copy.path)).problems).toEqual([])
  }
})

test('after a disk was full the ledger opens with every acknowledged entry, and goes on', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path), fullAfter(600_000))
  let acknowledged = 0
  const filling = async () => {
    for (;;) {
      await ledger.appendAll(Array.from({ length: 50 }, (_, at) => entryOf(acknowledged + at, 400)))
      acknowledged = ledger.size
    }
  }
  await expect(filling()).rejects.toMatchObject({ code: 'ledger_stopped' })
  await expect(ledger.append(entryOf(0))).rejects.toMatchObject({ code: 'ledger_stopped' })
  await expect(ledger.publish())
    .resolves.toBeUndefined()
    .catch(() => undefined)
  await ledger.close().catch(() => undefined)
  expect(acknowledged).toBeGreaterThan(0)
  const again = await openLedger(ledgerOptions(directory.path))
  expect(again.size).toBeGreaterThanOrEqual(acknowledged)
  for (const index of [0, acknowledged - 1]) {
    expect(Buffer.from(await again.read(index))).toEqual(entryOf(index, 400))
  }
  await again.append(entryOf(1))
  await again.close()
  expect((await checkLedger(directory.path)).problems).toEqual([])
})

test('a ledger does not open under another key, nor under another name, and is not changed by the try', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await ledger.append(entryOf(0))
  await ledger.close()
  const { privateKey } = generateKeyPairSync('ed25519')
  const own = ledgerOptions(directory.path)
  for (const wrong of [{ signer: privateKey }, { origin: 'seconder.example/renamed' }]) {
    await expect(openLedger({ ...own, ...wrong })).rejects.toMatchObject({
      code: 'ledger_corrupt',
      message: expect.stringContaining('`checkpoint`'),
    })
  }
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: 1 })
})
