// The `seconder` command: puts the sub-commands together and ends with a documented exit code.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { addDemoCommand } from './commands/demo.ts'
import { addDescribeCommand } from './commands/describe.ts'
import { addLedgerCommands } from './commands/ledger.ts'
import { addPolicyCommands } from './commands/policy.ts'
import { addRequestCommands } from './commands/request.ts'
import { addServeCommand } from './commands/serve.ts'
import { addSessionCommands } from './commands/session.ts'
import { EXIT, report } from './failure.ts'

function version(): string {
  const file = join(import.meta.dirname, '..', 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

const program = new Command('seconder')
  .description('No agent acts on production until someone seconds it.')
  .version(version())
  .exitOverride()
  .showHelpAfterError('(run it with --help for an example)')
  .addHelpText(
    'after',
    [
      '',
      'Exit codes: 0 done, 1 failed, 2 usage, 3 needs review, 4 denied.',
      '',
      'Examples:',
      '  seconder demo',
      '  seconder serve --config seconder.yaml',
      '  seconder request ls --state pending',
      '',
    ].join('\n'),
  )

addDemoCommand(program)
addServeCommand(program)
addSessionCommands(program)
addRequestCommands(program)
addPolicyCommands(program)
addDescribeCommand(program)
addLedgerCommands(program)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage
  else process.exitCode = report(error)
}
