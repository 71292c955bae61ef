// seconder break-glass open|ls|review: go ahead alone within named bounds, and look at it afterwards.
import type { ShownBreakGlass } from '@seconder/gateway/api/break-glass'
import {
  BREAK_GLASS_EFFECTS_MAX,
  BREAK_GLASS_MINUTES_MAX,
} from '@seconder/gateway/break-glass/statement'
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import type { Command } from 'commander'
import { openBreakGlass, readBreakGlass, reviewBreakGlass } from '../breaking-glass.ts'
import { CommandFailure } from '../failure.ts'
import { gateFor } from '../reading.ts'
import { renderGlass } from '../render/glass-account.ts'
import { note, print, table } from '../render/terminal.ts'
import { signerFor } from '../signing.ts'
import { wholeNumber } from '../whole-number.ts'

interface Common {
  readonly gate?: string
  readonly json?: boolean
  readonly sshKey?: string
}

interface OpenOptions extends Common {
  readonly session: string
  readonly reason: string
  readonly effect: readonly string[]
  readonly resource: readonly string[]
  readonly minutes: number
  readonly effects: number
}

export function addBreakGlassCommands(program: Command): void {
  const glass = program
    .command('break-glass')
    .description('go ahead alone, and be looked at afterwards')
  const add = (name: string, description: string, example: string) =>
    glass
      .command(name)
      .description(description)
      .option('--ssh-key <path>', 'your registered SSH key')
      .option('--gate <url>', 'console address of the gate')
      .option('--json', 'as JSON')
      .addHelpText('after', `\nExample:\n  seconder break-glass ${example}\n`)
  add(
    'open',
    'sign that your session may do this without a second person',
    'open --session s-1 --effect destroy --resource arn:aws:... --reason "the site is down" --ssh-key KEY',
  )
    .requiredOption('--session <id>', 'the session, which must be yours')
    .requiredOption('--reason <text>', 'why nobody could be asked')
    .requiredOption('--effect <names...>', 'what it may do, e.g. destroy')
    .requiredOption('--resource <arns...>', 'to what, as whole ARNs')
    .option('--minutes <count>', 'at most 15', wholeNumber(1, BREAK_GLASS_MINUTES_MAX), 15)
    .option('--effects <count>', 'calls, at most 10', wholeNumber(1, BREAK_GLASS_EFFECTS_MAX), 1)
    .action(open)
  add('ls', 'list them with what was used, and who has looked', 'ls').action(list)
  add('show <id>', 'everything that was done under one', 'show b-51c2').action(show)
  add(
    'review <id>',
    'sign that you have looked at what was done',
    'review b-51c2 --comment "as it should be" --ssh-key KEY',
  )
    .requiredOption('--comment <text>', 'what you found')
    .action(review)
}

async function open(options: OpenOptions): Promise<void> {
  const client = gateFor(options)
  const signer = await signerFor(client, options.sshKey)
  const opened = await openBreakGlass(client, signer, {
    session: options.session,
    reason: options.reason,
    effects: options.effect,
    resources: options.resource,
    minutes: options.minutes,
    effectsMax: options.effects,
  })
  if (options.json) print(JSON.stringify(opened))
  else
    print(
      `${opened.id}: until ${opened.until.slice(11, 16)} UTC, ${opened.effectsMax} calls. Two others must look at it afterwards.`,
    )
}

async function all(options: Common): Promise<readonly ShownBreakGlass[]> {
  const path = '/api/break-glass?limit=1000'
  return (await gateFor(options).get<{ breakGlass: ShownBreakGlass[] }>(path)).breakGlass
}

async function list(options: Common): Promise<void> {
  const found = await all(options)
  if (options.json) print(JSON.stringify({ breakGlass: found }))
  else if (found.length === 0) print('Nobody went ahead alone.')
  else {
    const rows = found.map(({ id, state, operator, used, effectsMax, reviews, reason }) => {
      const looked = reviews.map(({ reviewer }) => reviewer).join(', ') || 'nobody'
      return [id, state, operator, `${used} of ${effectsMax}`, looked, escapeUntrusted(reason, 60)]
    })
    print(table(['break-glass', 'state', 'operator', 'used', 'looked at by', 'reason'], rows))
  }
}

async function only(id: string, options: Common): Promise<string> {
  const [found, ...more] = (await all(options)).filter((one) => one.id.startsWith(id))
  if (found && more.length === 0) return found.id
  throw new CommandFailure(
    'request_unknown',
    `no one break-glass is ${id}`,
    'see `seconder break-glass ls`',
  )
}

async function show(id: string, options: Common): Promise<void> {
  const checked = await readBreakGlass(gateFor(options), await only(id, options))
  print(options.json ? JSON.stringify(checked.full) : renderGlass(checked))
}

async function review(id: string, options: Common & { comment: string }): Promise<void> {
  const client = gateFor(options)
  const checked = await readBreakGlass(client, await only(id, options))
  if (!options.json) note(`${renderGlass(checked)}\n`)
  const signer = await signerFor(client, options.sshKey)
  const after = await reviewBreakGlass(client, signer, checked, options.comment)
  print(
    options.json
      ? JSON.stringify(after)
      : `Signed as ${signer.person}: its after-review is ${after.state === 'closed' ? 'closed' : 'still open; one more must look'}.`,
  )
}
