// seconder describe aws FILE: the Action of a captured raw HTTP request, as the gate would see it.
// Nothing is sent or verified; without configuration everything is production.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { loadConfig } from '@seconder/gateway/config'
import { describe, readyToDescribe } from '@seconder/gateway/describe/describe'
import { readRoleReach } from '@seconder/gateway/epoch/role-reach'
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import type { Command } from 'commander'
import { claimedScope, parseRawRequest } from '../raw-request.ts'
import { print, table } from '../render/terminal.ts'

interface DescribeOptions {
  readonly account: string
  readonly config?: string
  readonly json?: boolean
}

export function addDescribeCommand(program: Command): void {
  program
    .command('describe')
    .description('an Action from raw input: what a call would do, without doing it')
    .command('aws [file]')
    .description(
      'a captured HTTP request: request line, headers, blank line, body (- or nothing: standard input)',
    )
    .option('--account <id>', 'account of the caller', '000000000000')
    .option(
      '--config <file>',
      'take environments from this configuration; without it all is production',
    )
    .option('--json', 'the whole Action')
    .addHelpText(
      'after',
      '\nExample:\n  seconder describe aws request.http --account 123456789012 --json\n',
    )
    .action(describeAws)
}

async function describeAws(file: string | undefined, options: DescribeOptions): Promise<void> {
  const config = options.config ? loadConfig(options.config) : undefined
  const request = parseRawRequest(readFileSync(file === undefined || file === '-' ? 0 : file))
  const scope = claimedScope(request)
  await readyToDescribe({ scope })
  const { action } = describe(request, {
    scope,
    account: options.account,
    environments: config?.environments ?? [],
    roleReach: config?.roleReachPath ? readRoleReach(config.roleReachPath) : {},
    maskKey: randomBytes(32).toString('hex'),
  })
  const effect = action.effects.at(-1)
  if (options.json) {
    print(JSON.stringify({ ...action, effect }, null, 2))
    return
  }
  print(
    `${action.operation}  ${action.effects.join(' + ')}  reveals ${action.reveals}  recoverable ${action.recoverable}`,
  )
  print(`needs ${(action.ownActions ?? action.iamActions).join(', ')}`)
  for (const { says, effects, at } of action.statements ?? []) {
    print(`its SQL ${escapeUntrusted(says, 400)}  ${effects.join(' + ')}  at ${at}`)
  }
  for (const inner of action.innerCalls ?? []) {
    const role = inner.role === null ? '' : ` under ${escapeUntrusted(inner.role, 200)}`
    const does = `${inner.operation}  ${inner.effects.join(' + ')}`
    print(`makes others call ${does}  at ${escapeUntrusted(inner.at, 200)}${role}`)
  }
  if (action.holder === 'unknown') print('runs under a role that is not known beforehand')
  else if (action.holder !== undefined) {
    print(`runs under the role of a stored thing: ${action.holder}, which the gate looks up`)
  }
  print(
    table(
      ['resource', 'type', 'environment', 'certain'],
      action.resources.map(({ arn, type, environment, resolved }) => [
        arn,
        type,
        environment,
        resolved ? 'yes' : 'no',
      ]),
    ),
  )
}
