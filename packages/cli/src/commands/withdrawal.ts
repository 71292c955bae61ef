// seconder request cancel, seconder revoke: take back what waits, or what was approved and not used yet.
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import type { Command } from 'commander'
import { agentPost, keysOfEnvironment } from '../agent-client.ts'
import { gateFor } from '../reading.ts'
import { print } from '../render/terminal.ts'
import { resolveRequestId } from '../reviewing.ts'
import { signerFor } from '../signing.ts'
import { signWithdrawal } from '../withdrawing.ts'

interface Options {
  readonly sshKey?: string
  readonly comment?: string
  readonly gate?: string
  readonly json?: boolean
}

export function addWithdrawalCommands(program: Command, request: Command): void {
  request
    .command('cancel <id>')
    .description('take back what you asked for: as the agent, or as its operator with --ssh-key')
    .option('--ssh-key <path>', "the operator's registered SSH key")
    .option('--gate <url>', 'console address of the gate')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder request cancel r-51c2\n')
    .action(cancel)
  program
    .command('revoke <id>')
    .description('sign that an approval which was not used yet counts no more')
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--comment <text>', 'told to the agent, as your words')
    .option('--gate <url>', 'console address of the gate')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  seconder revoke r-51c2 --ssh-key ~/.ssh/id_ed25519\n')
    .action(revoke)
}

async function cancel(id: string, options: Options): Promise<void> {
  const client = gateFor(options)
  const requestId = await resolveRequestId(client, id)
  if (options.sshKey === undefined) {
    const said = { request: requestId }
    told(await agentPost(client, keysOfEnvironment(), '/api/agent/cancel', said), options)
    return
  }
  const signer = await signerFor(client, options.sshKey)
  const taken = { requestId, takes: 'cancel', comment: '' } as const
  told(await signWithdrawal(client, signer, taken), options)
}

async function revoke(id: string, options: Options): Promise<void> {
  const client = gateFor(options)
  const signer = await signerFor(client, options.sshKey)
  const requestId = await resolveRequestId(client, id)
  const taken = { requestId, takes: 'revoke', comment: options.comment ?? '' } as const
  told(await signWithdrawal(client, signer, taken), options)
}

function told(after: ShownRequest, { json }: Options): void {
  print(json ? JSON.stringify(after) : after.guidance)
}
