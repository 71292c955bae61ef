// `npm run hasher`: builds data/sha256-lanes.wasm from hasher/*.ts with AssemblyScript, which is fetched at the
// version below and not installed, and writes beside it the hash of what it was built from. A test holds the two together.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DATA, HASHER, sourcesHash } from './hasher-sources.ts'

/** Apache-2.0. */
const ASSEMBLYSCRIPT = 'assemblyscript@0.28.20'

const OPTIONS = [
  ...['--baseDir', HASHER],
  ...['--outFile', join(DATA, 'sha256-lanes.wasm')],
  ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--importMemory'],
  ...['--enable', 'simd', '--enable', 'bulk-memory', '--use', 'abort='],
]

mkdirSync(DATA, { recursive: true })
execFileSync(
  'npm',
  ['exec', '--yes', `--package=${ASSEMBLYSCRIPT}`, '--', 'asc', 'sha256-lanes.ts', ...OPTIONS],
  { stdio: 'inherit' },
)
writeFileSync(join(DATA, 'sha256-lanes.sources'), `${sourcesHash()}\n`)
