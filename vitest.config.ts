import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { directoryOfTests } from './test/memory-disk.ts'

const EXCLUDED = ['**/node_modules/**']
/** It asks what is so before anything was loaded. */
const FIRST = 'packages/aws/src/sql/stated.test.ts'
/** What Node compiled of our files, for the processes that tests start: a start then costs a third of the work. */
const COMPILED = join(import.meta.dirname, 'node_modules', '.cache', 'seconder-compiled')

export default defineConfig({
  test: {
    globals: false,
    env: { TMPDIR: directoryOfTests(), NODE_COMPILE_CACHE: COMPILED },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // What is waited for comes late on a busy machine; nothing that comes in time is waited for longer.
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // Most of a path test is waiting: one more at once than there are cores.
    maxWorkers: availableParallelism() + 1,
    reporters: ['default', ['json', { outputFile: '.vitest-reports/results.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: [
            'packages/*/src/**/*.test.ts',
            'packages/*/test/**/*.test.ts',
            'lab/**/*.test.ts',
          ],
          exclude: [...EXCLUDED, FIRST],
          // They leave nothing behind in their process, and half of their time was loading the same modules again.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'gate', include: [FIRST, 'test/**/*.test.ts'], exclude: EXCLUDED },
      },
    ],
  },
})
