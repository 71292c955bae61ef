// The checkpoints that a place keeps which the gate's host does not rule: a file, a git repository, a bucket of S3.
// Whether a log goes on from each of them is the verifier's to say.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isS3Address, S3Error } from '@seconder/gateway/lib/s3-objects'
import { type Anchor, fileAnchor, gitAnchor } from '@seconder/gateway/record/anchors'
import { s3Endpoint } from '@seconder/gateway/record/record-config'
import { type KeptNotes, keptInS3 } from '@seconder/gateway/record/s3-anchor'
import { CommandFailure, EXIT } from './failure.ts'

export interface Anchored extends KeptNotes {
  readonly place: string
}

/** Throws CommandFailure `usage` where nothing is there, or it cannot be read: an anchor that is asked for counts. */
export async function anchored(place: string): Promise<Anchored> {
  let kept: KeptNotes
  try {
    kept = await (place.startsWith('s3:') ? inS3(place) : inPlace(place))
  } catch (cause) {
    if (cause instanceof CommandFailure) throw cause
    const why = cause instanceof S3Error ? `: ${cause.message}` : ''
    throw notRead(`cannot read the anchor ${place}${why}`)
  }
  if (kept.notes.length === 0) throw notRead(`there is no checkpoint in ${place}`)
  return { ...kept, place }
}

function inS3(address: string): Promise<KeptNotes> {
  if (!isS3Address(address)) throw notRead(`\`${address}\` is not s3://BUCKET/PREFIX`)
  return keptInS3({ address, endpoint: s3Endpoint(process.env) })
}

async function inPlace(path: string): Promise<KeptNotes> {
  const isGit = existsSync(join(path, '.git')) || existsSync(join(path, 'HEAD'))
  const anchor: Anchor = isGit ? gitAnchor(path, undefined) : fileAnchor(path)
  const note = await anchor.read()
  return note === null ? { notes: [], count: 0 } : { notes: [note], count: 1 }
}

function notRead(message: string): CommandFailure {
  const help =
    'give a file, a git repository or s3://BUCKET/PREFIX that `anchors:` of the gate names'
  return new CommandFailure('usage', message, help, EXIT.usage)
}
