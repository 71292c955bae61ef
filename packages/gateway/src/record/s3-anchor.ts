// A bucket of S3 that keeps checkpoints: one object for each, which is never written twice, and `latest`, which is
// replaced only where what was read still is. Nothing is ever deleted, so a bucket with versions and object lock will do.
//
//   checkpoints/0000000000000300   the checkpoint of 300 entries
//   latest                         the newest one
//
// The object of a size comes first. After a crash between the two `latest` is behind, and the next turn sees both.
import { parseCheckpoint } from '@seconder/ledger/checkpoint'
import { LedgerError } from '@seconder/ledger/errors'
import { NOTE_CHARACTERS_MAX, parseNote } from '@seconder/ledger/note'
import { S3Error, S3Objects, type S3Place, type StoredObject } from '../lib/s3-objects.ts'
import type { Anchor } from './anchors.ts'

const LATEST = 'latest'
const FOLDER = 'checkpoints/'
/** As many as a safe whole number has. */
const SIZE_DIGITS = 16
const NOTE_BYTES_MAX = 4 * NOTE_CHARACTERS_MAX
/** Checkpoints that a verifier reads: half of them the newest, the others spread over those before. */
export const KEPT_READ_MAX = 256
const READ_AT_ONCE = 8

export function s3Anchor(place: S3Place): Anchor {
  const objects = new S3Objects(place)
  let latest: StoredObject | null = null

  /** Puts it where `latest` still is what was read. */
  async function replaceLatest(note: string): Promise<void> {
    const bytes = Buffer.from(note)
    const isPut =
      latest === null
        ? await objects.putNew(LATEST, bytes)
        : await objects.replace(LATEST, bytes, latest.etag)
    if (isPut) return
    const there = await objects.get(LATEST, NOTE_BYTES_MAX)
    if (there && textOf(there) === note) return
    throw new S3Error(`writing ${objects.address}${LATEST}`, 'OvertakenByAnotherWriter')
  }

  return {
    name: objects.address,
    async read() {
      latest = await objects.get(LATEST, NOTE_BYTES_MAX)
      const note = latest && textOf(latest)
      const after = note === null ? FOLDER : nameOf(note)
      // Those that a crash, or somebody who put an older one back, left in front of `latest`.
      let newest: string | undefined
      for await (const name of objects.names(FOLDER, after)) newest = name
      if (newest === undefined) return note
      return await noteAt(objects, newest)
    },
    async settled() {
      const newest = await this.read()
      if (newest !== null && (latest === null || textOf(latest) !== newest)) {
        await replaceLatest(newest)
      }
    },
    async write(note, before) {
      if ((await this.read()) !== before) {
        throw new S3Error(`writing ${objects.address}`, 'OvertakenByAnotherWriter')
      }
      const name = nameOf(note)
      if (!(await objects.putNew(name, Buffer.from(note)))) {
        // Ed25519 signs equal texts equally: of one log there is one note of a size.
        if ((await noteAt(objects, name)) !== note) {
          const message = `another checkpoint of this size is in ${objects.address}${name}`
          throw new LedgerError('proof_invalid', message)
        }
      }
      await replaceLatest(note)
    },
  }
}

export interface KeptNotes {
  readonly notes: readonly string[]
  /** Checkpoints that are there. */
  readonly count: number
}

/**
 * What a bucket keeps, for a verifier: the newest checkpoints and others from all along. Whoever holds the gate's
 * host may write what is newest; those before it were written once. Errors: S3Error.
 */
export async function keptInS3(place: S3Place, readMax = KEPT_READ_MAX): Promise<KeptNotes> {
  const objects = new S3Objects(place)
  try {
    const names: string[] = []
    for await (const name of objects.names(FOLDER)) names.push(name)
    const latest = await objects.get(LATEST, NOTE_BYTES_MAX)
    const notes = latest === null ? [] : [textOf(latest)]
    const asked = spread(names, readMax)
    for (let from = 0; from < asked.length; from += READ_AT_ONCE) {
      const some = asked.slice(from, from + READ_AT_ONCE)
      notes.push(...(await Promise.all(some.map((name) => noteAt(objects, name)))))
    }
    return { notes: [...new Set(notes)], count: names.length }
  } finally {
    await objects.close()
  }
}

/** The last half of `count`, and as many others at equal distances before it. */
function spread(names: readonly string[], count: number): readonly string[] {
  if (names.length <= count) return names
  const half = Math.floor(count / 2)
  const before = names.slice(0, -half)
  const others = Array.from({ length: half }, (_, at) =>
    Math.floor((at * before.length) / half),
  ).map((at) => before[at] ?? '')
  return [...others, ...names.slice(-half)]
}

async function noteAt(objects: S3Objects, name: string): Promise<string> {
  const found = await objects.get(name, NOTE_BYTES_MAX)
  if (found === null) throw new S3Error(`reading ${objects.address}${name}`, 'NoSuchKey')
  return textOf(found)
}

/** Throws LedgerError where it is no checkpoint. */
function nameOf(note: string): string {
  const { size } = parseCheckpoint(parseNote(note).text)
  return `${FOLDER}${String(size).padStart(SIZE_DIGITS, '0')}`
}

function textOf({ bytes }: StoredObject): string {
  return Buffer.from(bytes).toString('utf8')
}
