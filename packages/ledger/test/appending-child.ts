// A process that appends to a ledger until somebody kills it: `appending-child.ts DIRECTORY BATCH`.
// Prints the index of each acknowledged entry, one a line, and a checkpoint note now and then.

import { writeSync } from 'node:fs'
import { openLedger } from '../src/ledger.ts'
import { entryOf, ledgerOptions } from './temporary-ledger.ts'

const [directory = '', batchText = '1'] = process.argv.slice(2)
const batch = Number(batchText)
const ledger = await openLedger(ledgerOptions(directory))
for (;;) {
  const first = ledger.size
  const appends = Array.from({ length: batch }, (_, at) => ledger.append(entryOf(first + at)))
  const appended = await Promise.all(appends)
  // Synchronous, so that what is acknowledged is said before anything else can happen.
  writeSync(1, `${appended.at(-1)?.index}\n`)
}
