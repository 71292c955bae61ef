// seconder ledger redact: sign that what was kept of a request or a call is dropped. Two people must.

import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import type { ShownPayload } from '@seconder/gateway/payloads/payload-desk'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { gateFor } from '../reading.ts'
import { lookAtPayload, signRedaction } from '../redacting.ts'
import { note, print } from '../render/terminal.ts'
import { signerFor } from '../signing.ts'

interface RedactOptions {
  readonly reason?: string
  readonly sshKey?: string
  readonly gate?: string
  readonly json?: boolean
}

export function addRedactCommand(ledger: Command): void {
  ledger
    .command('redact <what>')
    .description(
      'sign that a document beside the log is dropped; WHAT: its digest, or a request. Two people must',
    )
    .option('--reason <text>', 'stays in the log; default: that of whoever signed before you')
    .option('--ssh-key <path>', 'your registered SSH key; without it you only look')
    .option('--gate <url>', 'console address of the gate')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  seconder ledger redact r-51c2 --reason "a customer name in a tag" --ssh-key KEY',
        '  seconder ledger redact r-51c2                  # what it is, and who has signed',
        '  seconder ledger redact r-51c2 --ssh-key KEY    # the second person',
        '',
      ].join('\n'),
    )
    .action(redact)
}

async function redact(what: string, options: RedactOptions): Promise<void> {
  const client = gateFor(options)
  const signer = options.sshKey === undefined ? null : await signerFor(client, options.sshKey)
  const shown = await lookAtPayload(client, what)
  if (signer === null) {
    print(options.json ? JSON.stringify(shown) : linesOf(shown).join('\n'))
    return
  }
  if (!options.json) note(`${linesOf(shown).join('\n')}\n`)
  const reason = reasonOf(shown, options.reason)
  const after = await signRedaction(client, signer, { payload: shown.payload, reason })
  if (options.json) {
    print(JSON.stringify(after))
    return
  }
  print(
    after.redacted
      ? `Redacted, signed by ${after.signers.join(' and ')}. The digest ${shown.payload.slice(0, 12)}… and every proof stay.`
      : `Signed as ${signer.person}; ${after.missing} more must sign the same within a day: seconder ledger redact ${what} --ssh-key KEY`,
  )
}

/** That of whoever signed before, where it is the only one. */
function reasonOf({ waiting }: ShownPayload, given: string | undefined): string {
  const [only, ...others] = waiting
  if (given !== undefined) return given
  if (only !== undefined && others.length === 0) return only.reason
  const help = 'say why: --reason "..."; it stays in the log in place of the content'
  throw new CommandFailure('usage', 'a redaction needs its reason', help, EXIT.usage)
}

function linesOf({ payload, uses, needed, waiting, gone }: ShownPayload): string[] {
  return [
    `payload ${payload}`,
    ...uses.map(({ type, entry, at, operator, operation, request, breakGlass }) => {
      const of = request === null ? `break-glass ${breakGlass}` : `request ${request}`
      return `  entry ${entry} (${type}, ${at.slice(0, 16).replace('T', ' ')} UTC): ${escapeUntrusted(operation)} of ${operator}'s agent, ${of}`
    }),
    ...waiting.map(
      ({ reason, signers }) =>
        `  signed by ${signers.join(', ')}: ${escapeUntrusted(reason, 1_000)}`,
    ),
    gone === null
      ? `  ${needed === null ? 'it may be dropped' : `it must stay: ${needed}`}`
      : `  ${escapeUntrusted(gone, 1_200)}`,
  ]
}
