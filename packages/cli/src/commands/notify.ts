// seconder notify test: sends one test message to a channel of seconder.yaml, as the gate's own user. It asks the
// gate for nothing, so nobody can make a running gate send anything.
import { systemClock } from '@seconder/gateway/lib/clock'
import { DeliveryFailure } from '@seconder/gateway/notify/channel'
import { loadNotify } from '@seconder/gateway/notify/load-notify'
import { sendTest } from '@seconder/gateway/notify/test-message'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { print } from '../render/terminal.ts'

interface Options {
  readonly config: string
  readonly channel: string
  readonly json?: boolean
}

export function addNotifyCommands(program: Command): void {
  const notify = program.command('notify').description('where people are told of requests')
  notify
    .command('test')
    .description('send one test message to a channel; run it as the user of the gate')
    .requiredOption('--channel <name>', 'a channel of `notify:` in the configuration')
    .option('--config <file>', 'configuration', 'seconder.yaml')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder notify test --channel sre-room\n')
    .action(test)
}

async function test({ config: path, channel: name, json }: Options): Promise<void> {
  const config = loadNotify(path, process.env)
  const channels = config?.channels ?? {}
  const channel = Object.hasOwn(channels, name) ? channels[name] : undefined
  if (config === null || channel === undefined) {
    const known = Object.keys(channels).join(', ') || 'none'
    throw new CommandFailure(
      'usage',
      'the configuration has no such channel',
      `its channels: ${known}`,
      EXIT.usage,
    )
  }
  const { timeoutMs } = config
  const consoleUrl = process.env['SECONDER_GATE'] ?? 'http://localhost'
  try {
    await sendTest({ channel, timeoutMs, consoleUrl, clock: systemClock() })
  } catch (cause) {
    if (!(cause instanceof DeliveryFailure)) throw cause
    throw new CommandFailure(cause.code, 'not delivered', 'see docs/notifications.md')
  }
  print(json ? JSON.stringify({ channel: name, delivered: true }) : `Delivered to ${name}.`)
}
