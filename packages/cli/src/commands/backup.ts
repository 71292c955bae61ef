// seconder backup, seconder restore: a gate that can be lost, and comes back without what was open in it.
import { configWithoutCredentials } from '@seconder/gateway/config-without-credentials'
import type { Command } from 'commander'
import { makeBackup } from '../backup/making.ts'
import { type Restored, restoreBackup } from '../backup/restoring.ts'
import { StepProgress } from '../render/step-progress.ts'
import { note, print, toned } from '../render/terminal.ts'

export function addBackupCommand(program: Command): void {
  program
    .command('backup <dir>')
    .description(
      'copy state, ledger and keys of a gate, also of one that runs, and verify the copy',
    )
    .option('--config <file>', 'configuration of the gate', 'seconder.yaml')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
DIR must not be there yet; it has its name only once everything in it is verified. It holds the key of the ledger, and
that of the authority which agents trust for AWS (connect/ca.key); files 0600, folder 0700: keep it as you keep those.
What cannot be finished is removed; where the command itself was cut off, remove DIR.partial, keys are in it. No key of a
session is in it. Configuration and policies are not in it either; they are files of yours. Nothing is sent anywhere.

Examples:
  seconder backup /backups/gate-$(date +%F)
  seconder backup /backups/gate-$(date +%F) --config /etc/seconder/seconder.yaml --json
`,
    )
    .action(runBackup)
}

export function addRestoreCommand(program: Command): void {
  program
    .command('restore <dir>')
    .description('put a back-up where a gate was; all sessions are closed, all approvals void')
    .option('--config <file>', 'configuration of the gate', 'seconder.yaml')
    .option(
      '--checkpoint <place...>',
      'the newest checkpoints you have, beside the anchors of the configuration: files, git, s3://',
    )
    .option('--accept-loss', 'go on although entries after the back-up may be lost')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Refused where a gate runs, where a state is (move it away), and where the ledger that is there does not go on from the
back-up. A ledger that does is kept, and the state follows it: nothing that was used, closed or denied since comes back.
Where no ledger is left, that of the back-up is taken, unless a checkpoint is newer (ledger_older_than_acknowledged).

Examples:
  mv .seconder/state.db .seconder/state.db.broken; seconder restore /backups/gate-2026-08-21
  seconder restore /backups/gate-2026-08-21 --checkpoint /mnt/elsewhere/checkpoint
  seconder restore /backups/gate-2026-08-21 --accept-loss
`,
    )
    .action(runRestore)
}

async function runBackup(
  folder: string,
  options: { readonly config: string; readonly json?: boolean },
): Promise<void> {
  const progress = new StepProgress()
  const see = (what: string, done: number, of: number) => progress.see(what, done, of)
  const made = await makeBackup(
    configWithoutCredentials(options.config, process.env),
    folder,
    see,
  ).finally(() => progress.end())
  const { at, gate, size, followed } = made
  if (options.json) return print(JSON.stringify({ folder, at, gate, size, followed }))
  print(
    `${toned('green', 'ok')} ${folder}: ${size} entries, verified; the state follows ${followed} of them`,
  )
  const keys = Object.keys(made.files).filter((name) => name.endsWith('.key'))
  print(`It holds keys of the gate (${keys.join(', ')}): keep it as you keep those.`)
}

interface RestoreCommand {
  readonly config: string
  readonly checkpoint?: readonly string[]
  readonly acceptLoss?: boolean
  readonly json?: boolean
}

async function runRestore(folder: string, options: RestoreCommand): Promise<void> {
  const progress = new StepProgress()
  const see = (what: string, done: number, of: number) => progress.see(what, done, of)
  const { checkpoint: checkpoints = [], acceptLoss = false } = options
  const asked = { checkpoints, acceptLoss }
  const restored = await restoreBackup(
    configWithoutCredentials(options.config, process.env),
    folder,
    asked,
    see,
  ).finally(() => progress.end())
  const { manifest, ...facts } = restored
  if (options.json) return print(JSON.stringify({ ...facts, backupAt: manifest.at }))
  for (const line of wordsOf(restored)) print(line)
  note('Start the gate: it closes all sessions, voids all approvals, and records that.')
}

function wordsOf({ manifest, ledger, size, replayed }: Restored): string[] {
  const count = Object.values(replayed).reduce((sum, one) => sum + one, 0)
  const types = Object.entries(replayed).map(([type, many]) => `${many} ${type}`)
  const follows = `The state follows ${count} entries that the back-up's did not know of${count === 0 ? '' : `: ${types.join(', ')}`}.`
  const head = `${toned('green', 'ok')} restored from the back-up of ${manifest.at}`
  if (ledger === 'kept') {
    return [
      `${head}; the ledger that was there is kept, ${size} entries, ${size - manifest.size} after the back-up`,
      follows,
      'Lost are requests and approvals that were open, sign-ins, and denials that stood over requests since the back-up.',
    ]
  }
  return [
    `${head}; its ledger too, ${size} entries`,
    follows,
    `Lost is everything that was recorded after entry ${size - 1}: effects may have happened of which nothing is on record.`,
    'Hold it against CloudTrail: seconder ledger reconcile --trail TRAIL',
  ]
}
