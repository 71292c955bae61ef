// Runs the torture for as much as asked for, or as long as allowed, and prints its seed:
//   npm run torture -- --only requests --requests 1000000 --seed 7 --minutes 60
//   npm run torture -- --only gateways --grants 1000 --retries 200 --minutes 60 [--state postgres|sqlite]
//   npm run torture -- --only crash --rounds 100000 --seed 7 --minutes 120
// `requests`: mutants of signed requests. `gateways`: gateways that are killed while racing retries use up
// grants, three on one PostgreSQL and one on SQLite. `crash`: machines that break under a gate at any step, and
// for ten of those one gate that is a process and is killed; `--first` goes on from a round. It stops at the
// first finding.
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

const FILES = {
  requests: ['test/torture/torture.test.ts'],
  gateways: ['test/torture/gateways.test.ts'],
  crash: ['test/torture/crash.test.ts', 'test/path/crash.test.ts'],
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    requests: { type: 'string', default: '1000000' },
    grants: { type: 'string', default: '1000' },
    retries: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '100000' },
    'kill-ms': { type: 'string', default: '4000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    first: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '120' },
    state: { type: 'string' },
  },
})
const { only, state, ...numbers } = values
if (only !== undefined && !Object.hasOwn(FILES, only)) {
  const known = Object.keys(FILES).join(', ')
  process.stderr.write(`seconder: --only takes one of ${known}, not \`${only}\`\n`)
  process.exit(2)
}
const ENGINES = { postgres: 'PostgreSQL', sqlite: 'SQLite' }
if (state !== undefined && !Object.hasOwn(ENGINES, state)) {
  process.stderr.write(`seconder: --state takes postgres or sqlite, not \`${state}\`\n`)
  process.exit(2)
}
for (const [name, value] of Object.entries(numbers)) {
  if (!/^\d{1,9}$/.test(value)) {
    process.stderr.write(`seconder: --${name} takes a whole number, not \`${value}\`\n`)
    process.exit(2)
  }
}
const said = Object.entries(numbers).map(([name, value]) => [
  `SECONDER_TORTURE_${name.toUpperCase().replace('-', '_')}`,
  value,
])
const files = only === undefined ? Object.values(FILES).flat() : FILES[only]
const tests = state === undefined ? [] : ['-t', `on (one )?${ENGINES[state]}`]
const args = ['vitest', 'run', ...files, ...tests, '--disableConsoleIntercept=true']
const done = spawnSync('npx', args, {
  stdio: 'inherit',
  // On the disk: what a crash tears is part of it.
  env: { ...process.env, TMPDIR: tmpdir(), ...Object.fromEntries(said) },
})
process.exit(done.status ?? 1)
