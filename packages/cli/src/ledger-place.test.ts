// Payloads beside a ledger in a folder: only what an entry can have named, and only under its own digest.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { payloadPath } from '@seconder/ledger/layout'
import { expect, test } from 'vitest'
import { payloadsIn } from './incident-of-folder.ts'
import { besideDirectory } from './ledger-place.ts'

test('a payload beside a ledger is that of its own digest, or none', () => {
  const above = mkdtempSync(join(tmpdir(), 'seconder-payloads-'))
  const folder = join(above, 'ledger')
  const digest = createHash('sha256').update('own').digest('hex')
  const file = join(folder, payloadPath(digest))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'own')
  expect(payloadsIn(folder)(digest)).toBe('own')
  writeFileSync(file, 'owm')
  expect(payloadsIn(folder)(digest)).toBe(null)
  // It is there all the same: the verifier says what is wrong with it.
  const { has } = besideDirectory(folder)
  expect(has(digest)).toBe(true)
  const strange = '../other'
  writeFileSync(join(above, 'other'), 'x')
  expect([has(strange), payloadsIn(folder)(strange)]).toEqual([false, null])
  rmSync(above, { recursive: true })
})
