// seconder ledger consistency: whether one checkpoint goes on from another, by a proof made from the tiles.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64 } from '@seconder/ledger/bytes'
import { proveConsistency } from '@seconder/ledger/consistency'
import { LedgerError } from '@seconder/ledger/errors'
import { nodePrimitives } from '@seconder/ledger/node'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../failure.ts'
import { noteText, verifierKey } from '../ledger-keys.ts'
import { print, toned } from '../render/terminal.ts'

interface ConsistencyOptions {
  readonly key?: string
  readonly json?: boolean
}

export function addConsistencyCommand(ledger: Command): void {
  ledger
    .command('consistency <dir> <old> [new]')
    .description('prove that a checkpoint goes on from an older one; NEW: default DIR/checkpoint')
    .option('--key <vkey>', 'public key of the ledger, or a file with it (default: DIR.vkey)')
    .option('--json', 'the proof, as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  seconder ledger consistency .seconder/ledger kept.checkpoint\n',
    )
    .action(consistency)
}

async function consistency(
  folder: string,
  old: string,
  newer: string | undefined,
  options: ConsistencyOptions,
): Promise<void> {
  const key = verifierKey(folder, options.key)
  const notes = { older: noteText(old), newer: noteText(newer ?? join(folder, 'checkpoint')) }
  try {
    const found = await proveConsistency(notes, key, readFileOf(folder), nodePrimitives)
    const { size: oldSize } = found.older
    const { size } = found.newer
    const proof = found.proof.map(toBase64)
    if (options.json) return print(JSON.stringify({ consistent: true, oldSize, size, proof }))
    print(
      `${toned('green', 'ok')} ${size} entries go on from ${oldSize}, by ${proof.length} hashes`,
    )
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause
    throw new CommandFailure(cause.code, cause.message, cause.help, EXIT.failed)
  }
}

function readFileOf(folder: string) {
  return async (name: string) => {
    try {
      return readFileSync(join(folder, name))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }
}
