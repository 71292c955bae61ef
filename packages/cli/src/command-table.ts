// Every command by its first word, with the module that adds it.
import type { Command } from 'commander'

type Add = (program: Command) => void

/** Each first word with its module, loaded only when it is asked for: the rest costs no start-up. */
export const COMMANDS: Record<string, () => Promise<Add>> = {
  demo: async () => (await import('./commands/demo.ts')).addDemoCommand,
  serve: async () => (await import('./commands/serve.ts')).addServeCommand,
  backup: async () => (await import('./commands/backup.ts')).addBackupCommand,
  restore: async () => (await import('./commands/backup.ts')).addRestoreCommand,
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
export const REVIEWING = new Set(['wait', 'approve', 'deny', 'request-changes', 'revoke'])
