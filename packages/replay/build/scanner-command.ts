// `npm run scanner`: builds data/event-scanner.wasm from scanner/*.ts with AssemblyScript, which is fetched at the
// version below and not installed, and writes beside it the hash of what it was built from. A test holds the two together.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DATA, SCANNER, sourcesHash } from './scanner-sources.ts'

/** Apache-2.0. */
const ASSEMBLYSCRIPT = 'assemblyscript@0.28.20'

const OPTIONS = [
  ...['--baseDir', SCANNER],
  ...['--outFile', join(DATA, 'event-scanner.wasm')],
  ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--importMemory'],
  ...['--enable', 'simd', '--enable', 'bulk-memory', '--use', 'abort='],
]

execFileSync(
  'npm',
  ['exec', '--yes', `--package=${ASSEMBLYSCRIPT}`, '--', 'asc', 'event-scanner.ts', ...OPTIONS],
  { stdio: 'inherit' },
)
writeFileSync(join(DATA, 'event-scanner.sources'), `${sourcesHash()}\n`)
