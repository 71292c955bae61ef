// seconder ledger witness: a process of its own, on another machine than the gate's, that cosigns what the
// gate's ledger becomes, so that nobody who holds the gate can take back what was once in it.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LedgerError } from '@seconder/ledger/errors'
import { Witness } from '@seconder/ledger/witness'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { vkeyText } from '../ledger-keys.ts'
import { print } from '../render/terminal.ts'
import { serveWitness } from '../witness-server.ts'

const PORT = 8790

interface WitnessCommandOptions {
  readonly name: string
  readonly state: string
  readonly log: readonly string[]
  readonly listen: string
}

export function addWitnessCommand(ledger: Command): void {
  ledger
    .command('witness')
    .description('cosign checkpoints of ledgers that only grow; run it where the gate cannot reach')
    .requiredOption('--name <name>', 'its name, such as a host name and a path')
    .requiredOption('--log <vkey...>', 'public keys of the ledgers to watch, or files with them')
    .option('--state <dir>', 'its key, and what it cosigned last', '.seconder/witness')
    .option('--listen <host:port>', 'where it listens', `127.0.0.1:${PORT}`)
    .addHelpText(
      'after',
      [
        '',
        'Example:',
        '  seconder ledger witness --name witness.example/w1 --log ledger.vkey --listen 0.0.0.0:8790',
        '',
        'It prints its public key: put that under `witnesses` in seconder.yaml, and give it to',
        '`seconder ledger verify --witness`. Whoever loses its state folder must make a new witness.',
        '',
      ].join('\n'),
    )
    .action(witness)
}

async function witness(options: WitnessCommandOptions): Promise<void> {
  const address = addressOf(options.listen)
  mkdirSync(options.state, { recursive: true, mode: 0o700 })
  const opened = await open(options)
  const server = await serveWitness(opened, address)
  print(`witness ${options.name} at ${server.url}`)
  print(`public key: ${opened.verifierKey}`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await server.close()
}

async function open({ name, state, log }: WitnessCommandOptions): Promise<Witness> {
  try {
    const ledgers = log.map(vkeyText)
    return await Witness.open({ directory: join(state, 'seen'), name, key: keyIn(state), ledgers })
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause
    throw new CommandFailure(cause.code, cause.message, cause.help, EXIT.usage)
  }
}

/** Made at the first start; of no use for anything else. */
function keyIn(state: string): KeyObject {
  const path = join(state, 'witness.key')
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' })
    writeFileSync(path, pem, { mode: 0o600, flag: 'wx' })
  }
  return createPrivateKey(readFileSync(path))
}

function addressOf(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(':')
  const port = Number(text.slice(at + 1))
  if (at > 0 && Number.isInteger(port) && port >= 0 && port <= 65_535) {
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port }
  }
  const help = `write e.g. --listen 127.0.0.1:${PORT}`
  throw new CommandFailure('usage', `\`${text}\` is not HOST:PORT`, help, EXIT.usage)
}
