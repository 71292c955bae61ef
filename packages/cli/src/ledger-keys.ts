// What a verifier of a ledger's folder must be given from outside it: the public key, and checkpoints that
// were seen before. A ledger cannot vouch for itself.
import { readFileSync } from 'node:fs'
import { CommandFailure, EXIT } from './failure.ts'

export function verifierKey(folder: string, key: string | undefined): string {
  if (key?.includes('+')) return key.trim()
  const file = key ?? `${folder.replace(/\/+$/, '')}.vkey`
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    throw new CommandFailure(
      'usage',
      `cannot read the ledger's public key from ${file}`,
      'give it with --key; the gate wrote it beside the ledger at its first start',
      EXIT.usage,
    )
  }
}

export function noteText(since: string): string {
  if (since.includes('\n')) return since
  try {
    return readFileSync(since, 'utf8')
  } catch {
    throw new CommandFailure(
      'usage',
      `cannot read the checkpoint ${since}`,
      'give a file with a checkpoint note',
      EXIT.usage,
    )
  }
}

/** A public key itself, or a file with it. */
export function vkeyText(given: string): string {
  if (/^[^\s+]+\+[0-9a-f]{8}\+\S+$/.test(given.trim())) return given.trim()
  try {
    return readFileSync(given, 'utf8').trim()
  } catch {
    const help = 'give the key itself, NAME+ID+BASE64, or a file with it'
    throw new CommandFailure('usage', `cannot read the public key ${given}`, help, EXIT.usage)
  }
}
