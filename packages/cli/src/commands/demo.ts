// seconder demo: the December outage on this machine, once without safeguards and once with them.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from 'commander'
import { EXIT } from '../failure.ts'

const DEMO = join(import.meta.dirname, '..', '..', '..', '..', 'lab', 'src', 'demo', 'main.ts')

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('December: the outage happens with the safeguards off, and not with them on')
    .option('--review', 'you are the reviewer, in your browser or in a second terminal')
    .option('--json <file>', 'write what was measured to a file')
    .addHelpText('after', '\nExample:\n  seconder demo\n  seconder demo --review\n')
    .action((options: { review?: boolean; json?: string }) => run(options))
}

function run(options: { review?: boolean; json?: string }): Promise<void> {
  const args = [
    ...(options.review ? ['--review'] : []),
    ...(options.json ? ['--json', options.json] : []),
  ]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', DEMO, ...args], {
    stdio: 'inherit',
  })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward)
  return new Promise((resolve) => {
    child.on('exit', (code) => {
      process.exitCode = code ?? EXIT.failed
      resolve()
    })
  })
}
