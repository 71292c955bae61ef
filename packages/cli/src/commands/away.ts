// seconder people away, back: who is told of requests instead of you, until when. It is signed, and it changes
// nothing but who is told: nobody may sign for you.
import { AWAY_NAMESPACE, type ShownAbsence } from '@seconder/gateway/notify/away'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { nonce } from '../nonce.ts'
import { gateFor } from '../reading.ts'
import { print } from '../render/terminal.ts'
import { signerFor } from '../signing.ts'

interface Options {
  readonly until?: string
  readonly to?: string
  readonly gate?: string
  readonly sshKey?: string
  readonly json?: boolean
}

const KEY = '--ssh-key ~/.ssh/id_ed25519'

export function addAwayCommands(people: Command): void {
  signed(
    people
      .command('away')
      .description(
        'sign that somebody else is told of requests instead of you; nobody signs for you',
      )
      .requiredOption('--until <date>', 'a day (UTC, its end) or a time, at most 90 days away')
      .requiredOption('--to <name>', 'the member who is told instead'),
  )
    .addHelpText('after', `\nExample:\n  seconder people away --until 2026-12-04 --to bob ${KEY}\n`)
    .action(({ until = '', to = '', ...options }: Options) =>
      sign({ to, until: endOf(until) }, options),
    )
  signed(people.command('back').description('sign that you are told of requests again'))
    .addHelpText('after', `\nExample:\n  seconder people back ${KEY}\n`)
    .action((options: Options) => sign(null, options))
}

function signed(command: Command): Command {
  return command
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--json', 'as JSON')
}

/** A day means its end; what is no date is refused here, in words. */
function endOf(text: string): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const at = new Date(isDay ? `${text}T23:59:59.000Z` : text)
  const isDate = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text) && !Number.isNaN(at.getTime())
  if (isDate && at.toISOString().startsWith(text.slice(0, 10))) return at.toISOString()
  throw new CommandFailure(
    'usage',
    '--until is no date',
    'write 2026-12-04 or 2026-12-04T17:00:00Z',
    EXIT.usage,
  )
}

async function sign(
  away: { readonly to: string; readonly until: string } | null,
  options: Options,
): Promise<void> {
  const client = gateFor(options)
  const signer = await signerFor(client, options.sshKey)
  const { gate } = await client.facts()
  const signedAt = new Date().toISOString()
  const who = { gate, signer: signer.person, nonce: nonce(), signedAt }
  const act = await signer.sign({ type: AWAY_NAMESPACE, away, ...who }, AWAY_NAMESPACE)
  const after = await client.post<{ away: readonly ShownAbsence[] }>('/api/away', act)
  if (options.json) return print(JSON.stringify(after))
  print(
    away === null
      ? `${signer.person} is told of requests again.`
      : `Until ${away.until.slice(0, 16)}Z ${away.to} is told of requests instead of ${signer.person}. Nobody may sign for you.`,
  )
}
