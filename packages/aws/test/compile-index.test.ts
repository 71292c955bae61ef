// The committed index is exactly what the pinned packages and our tables compile to.

import { readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compileIndex, INDEX_BYTES_MAX, INDEX_PATH } from '../build/compile-index.ts'

test('compiling the index again gives the committed bytes', async () => {
  const compiled = await compileIndex()
  expect(compiled.equals(readFileSync(INDEX_PATH))).toBe(true)
})

test('the index stays under its limit', () => {
  expect(statSync(INDEX_PATH).size).toBeLessThan(INDEX_BYTES_MAX)
})
