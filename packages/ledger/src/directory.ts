// A ledger's directory as a source for the verifier, and the verifier bound to node:crypto. Reads
// only; it takes no lock, so a ledger can be verified from a copy while another process writes.

import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { BundleReader } from './bundle-reader.ts'
import { bundleThreads, THREADED_BUNDLES_MIN } from './bundle-threads.ts'
import { LedgerError, quoted } from './errors.ts'
import { fileBytesMax } from './layout.ts'
import { nodePrimitives } from './node.ts'
import type { OpenPlainBundles, PlainBundles } from './plain-bundles.ts'
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

/** Appends the names of the files below `prefix`, which is nothing or ends in `/`. */
function filesBelow(directory: string, prefix: string, names: string[]): string[] {
  for (const file of readdirSync(join(directory, prefix), { withFileTypes: true })) {
    if (file.isDirectory()) filesBelow(directory, `${prefix}${file.name}/`, names)
    else names.push(prefix + file.name)
  }
  return names
}

/** The files below `directory`. Directories are not files; anything else (a link, a socket) is. */
export function directorySource(directory: string): LedgerSource {
  return {
    list: () => filesBelow(directory, '', []),
    read: (name) => readWhole(directory, name),
  }
}

export interface DirectoryOptions extends Omit<VerifyOptions, 'primitives' | 'openPlain'> {
  /** Threads that hash; default: one for each core, for logs that are long enough. 0: this one alone. */
  readonly threads?: number
}

/** `verifyLedger` over a directory, with the SHA-256 and Ed25519 of node:crypto. */
export async function verifyDirectory(
  directory: string,
  { threads, ...options }: DirectoryOptions,
): Promise<VerifyReport> {
  const source = directorySource(directory)
  const openPlain: OpenPlainBundles = (asked) => {
    const wanted = asked.bundles < THREADED_BUNDLES_MIN ? 0 : availableParallelism()
    const count = threads ?? wanted
    if (count === 0) return bundlesHere(directory, asked.wantsEntries)
    return bundleThreads(directory, asked, count)
  }
  return await verifyLedger(source, { ...options, openPlain, primitives: nodePrimitives })
}

function bundlesHere(directory: string, wantsEntries: boolean): PlainBundles {
  const reader = new BundleReader(directory, wantsEntries)
  return { at: async (index) => reader.at(index), close: () => undefined }
}
