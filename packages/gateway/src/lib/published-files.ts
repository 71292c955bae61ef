// The published files of a ledger that lie in no directory, for whoever reads them at the gate: the API's pages,
// witnesses and anchors.
import { CHECKPOINT_FILE, fileBytesMax } from '@seconder/ledger/layout'
import type { S3Objects } from './s3-objects.ts'

export interface PublishedFiles {
  /** Names below the ledger's place, with `/`, in the order of their bytes, those after `after`. */
  names(after?: string): AsyncIterable<string>
  /** The file, or null where there is none. `name` is one of a ledger's files. */
  read(name: string): Promise<Uint8Array | null>
  /** Errors: where there is none. */
  checkpoint(): Promise<string>
}

export function filesInBucket(objects: S3Objects): PublishedFiles {
  const read = async (name: string) => (await objects.get(name, fileBytesMax(name)))?.bytes ?? null
  return {
    names: (after) => objects.names('', after),
    read,
    async checkpoint() {
      const bytes = await read(CHECKPOINT_FILE)
      if (bytes === null) throw new Error('there is no checkpoint yet')
      return Buffer.from(bytes).toString('utf8')
    },
  }
}
