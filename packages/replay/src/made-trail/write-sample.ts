// `node packages/replay/src/made-trail/write-sample.ts`: writes samples/trail anew. A test holds it to what
// the seed makes, event for event.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { SAMPLE, writeTrail } from './made-trail.ts'

const folder = join(import.meta.dirname, '..', '..', '..', '..', 'samples', 'trail')
rmSync(folder, { recursive: true, force: true })
const files = writeTrail(folder, SAMPLE)
process.stdout.write(`${files} files in ${folder}\n`)
