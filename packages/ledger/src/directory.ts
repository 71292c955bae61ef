// A ledger's directory as a source for the verifier, and the verifier bound to node:crypto. Reads
// only; it takes no lock, so a ledger can be verified from a copy while another process writes.

import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { LedgerError, quoted } from './errors.ts'
import { fileBytesMax } from './layout.ts'
import { nodePrimitives } from './node.ts'
import type { LedgerSource } from './source.ts'
import { type VerifyOptions, type VerifyReport, verifyLedger } from './verify.ts'

/** A file of that name, read at once: an open file cannot grow between the size and the read. */
function readWhole(directory: string, name: string): Uint8Array {
  const descriptor = openSync(join(directory, name), 'r')
  try {
    const bytesMax = fileBytesMax(name)
    if (fstatSync(descriptor).size > bytesMax) {
      const message = `${quoted(name)} has more than ${bytesMax} bytes`
      throw new LedgerError('file_too_large', message)
    }
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The files below `directory`. Directories are not files; anything else (a link, a socket) is. */
export function directorySource(directory: string): LedgerSource {
  return {
    list() {
      const names: string[] = []
      for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
        if (file.isDirectory()) continue
        const path = join(file.parentPath, file.name).slice(join(directory, sep).length)
        names.push(path.split(sep).join('/'))
      }
      return names
    },
    read: (name) => readWhole(directory, name),
  }
}

/** `verifyLedger` over a directory, with the SHA-256 and Ed25519 of node:crypto. */
export async function verifyDirectory(
  directory: string,
  options: Omit<VerifyOptions, 'primitives'>,
): Promise<VerifyReport> {
  return await verifyLedger(directorySource(directory), { ...options, primitives: nodePrimitives })
}
