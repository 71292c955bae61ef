// The `seconder` command: puts the sub-commands together and ends with a documented exit code.
import { Command, CommanderError } from 'commander'
import { COMMANDS, REVIEWING } from './command-table.ts'
import { EXIT, report } from './failure.ts'
import { VERSION } from './version.ts'

const program = new Command('seconder')
  .description('No agent acts on production until someone seconds it.')
  .version(VERSION)
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

/** Whoever reads the output may stop: `| head` is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

async function addCommands(first: string): Promise<void> {
  const word = REVIEWING.has(first) ? 'request' : first
  const load = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined
  for (const one of load ? [load] : Object.values(COMMANDS)) (await one())(program)
}

try {
  await addCommands(process.argv[2] ?? '')
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage
  else process.exitCode = report(error)
}
