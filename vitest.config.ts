import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globals: false,
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'lab/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // What is waited for comes late on a busy machine; nothing that comes in time is waited for longer.
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // Most of a path test is waiting: one more at once than there are cores.
    maxWorkers: availableParallelism() + 1,
    reporters: ['default', ['json', { outputFile: '.vitest-reports/results.json' }]],
  },
})
