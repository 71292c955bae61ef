// A process that fills segments of a ledger, waits until they are published, and does no more: `idle-child.ts
// DIRECTORY`. It does not close the ledger, so it ends only if nothing holds it.

import { writeSync } from 'node:fs'
import { openLedger } from '../src/ledger.ts'
import { entryOf, ledgerOptions } from './temporary-ledger.ts'

const ledger = await openLedger(ledgerOptions(process.argv[2] ?? ''))
process.on('worker', () => writeSync(1, 'thread\n'))
for (let first = 0; first < 20_000; first += 1000) {
  await ledger.appendAll(Array.from({ length: 1000 }, (_, at) => entryOf(first + at)))
}
await ledger.publish()
writeSync(1, 'published\n')
