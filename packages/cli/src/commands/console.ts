// seconder console open: signs a browser in for reading, by a link that works once. What happens in the console
// is still signed there, by passkey, act by act.
import type { Command } from 'commander'
import { GateClient } from '../gate-client.ts'
import { print } from '../render/terminal.ts'
import { type Link, signIn } from '../sign-in.ts'
import { signerFor } from '../signing.ts'

export function addConsoleCommands(program: Command): void {
  program
    .command('console')
    .description('the console, where people read, and answer with a passkey')
    .command('open')
    .description('print a link that signs one browser in, once, within two minutes')
    .option('--gate <url>', 'console address of the gate')
    .option('--ssh-key <path>', 'your registered SSH key')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      [
        '',
        'The browser that opens the link first is signed in, as you, for reading. Paste it into the address bar:',
        'from a page of another site it is refused.',
        '',
        'Example:',
        '  seconder console open --ssh-key ~/.ssh/id_ed25519',
        '',
      ].join('\n'),
    )
    .action(open)
}

async function open(options: { gate?: string; sshKey?: string; json?: boolean }): Promise<void> {
  const client = new GateClient(options.gate)
  const signer = await signerFor(client, options.sshKey)
  const made = await signIn<Link>(client, signer, 'link')
  if (options.json) return print(JSON.stringify(made))
  print(
    `Open this as ${made.person}, once, before ${made.expiresAt.slice(11, 19)} UTC:\n  ${made.link}`,
  )
}
