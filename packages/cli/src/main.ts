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

type Add = (program: Command) => void

/** Each first word with its module, loaded only when it is asked for: the rest costs no start-up. */
const COMMANDS: Record<string, () => Promise<Add>> = {
  demo: async () => (await import('./commands/demo.ts')).addDemoCommand,
  serve: async () => (await import('./commands/serve.ts')).addServeCommand,
  session: async () => (await import('./commands/session.ts')).addSessionCommands,
  request: async () => (await import('./commands/request.ts')).addRequestCommands,
  console: async () => (await import('./commands/console.ts')).addConsoleCommands,
  people: async () => (await import('./commands/people.ts')).addPeopleCommands,
  notify: async () => (await import('./commands/notify.ts')).addNotifyCommands,
  'break-glass': async () => (await import('./commands/break-glass.ts')).addBreakGlassCommands,
  plan: async () => (await import('./commands/plan.ts')).addPlanCommands,
  policy: async () => (await import('./commands/policy.ts')).addPolicyCommands,
  describe: async () => (await import('./commands/describe.ts')).addDescribeCommand,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
  init: async () => (await import('./commands/init.ts')).addInitCommands,
  ledger: async () => (await import('./commands/ledger.ts')).addLedgerCommands,
  incident: async () => (await import('./commands/incident.ts')).addIncidentCommands,
  replay: async () => (await import('./commands/replay.ts')).addReplayCommand,
  roles: async () => (await import('./commands/roles.ts')).addRolesCommands,
}

/** Commands of one word that live with `request`. */
const REVIEWING = new Set(['wait', 'approve', 'deny', 'request-changes', 'revoke'])

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
