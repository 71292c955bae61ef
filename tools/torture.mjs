// Runs the torture for as many mutants as asked for, or as long as allowed:
//   npm run torture -- --requests 1000000 --seed 7 --minutes 60
// It prints its seed, and stops at the first finding.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    first: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '120' },
  },
})
for (const [name, value] of Object.entries(values)) {
  if (!/^\d{1,9}$/.test(value)) {
    process.stderr.write(`seconder: --${name} takes a whole number, not \`${value}\`\n`)
    process.exit(2)
  }
}
const environment = {
  ...process.env,
  SECONDER_TORTURE_REQUESTS: values.requests,
  SECONDER_TORTURE_SEED: values.seed,
  SECONDER_TORTURE_FIRST: values.first,
  SECONDER_TORTURE_MINUTES: values.minutes,
}
const done = spawnSync('npx', ['vitest', 'run', 'test/torture', '--disableConsoleIntercept=true'], {
  stdio: 'inherit',
  env: environment,
})
process.exit(done.status ?? 1)
