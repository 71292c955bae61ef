import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Every file of this package that `file` imports, itself included, and what it imports of Node. */
function reachable(file: string, found = new Map<string, string[]>()): Map<string, string[]> {
  if (found.has(file)) return found
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '')
  found.set(
    file,
    imports.filter((name) => !name.startsWith('./')),
  )
  for (const name of imports) if (name.startsWith('./')) reachable(name, found)
  return found
}

test('the verifier, the proofs and the tile reader import only files of this package', () => {
  for (const file of [
    './verify.ts',
    './proof.ts',
    './tile-reader.ts',
    './web.ts',
    './signed-acts.ts',
  ]) {
    for (const [name, outside] of reachable(file)) expect(outside, name).toEqual([])
  }
  expect(reachable('./ledger.ts').get('./node.ts')).toEqual(['node:crypto'])
})
