// Finds the files of a trail: each path is a file or a folder that is walked whole. Files come in the
// order of their names, which for CloudTrail's own is the order of time.

import { opendirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ReplayError } from '../errors.ts'

export const FILES_MAX = 5_000_000

export interface TrailFile {
  readonly path: string
  readonly bytes: number
}

/** CloudTrail's own digest files list hashes, not events. */
const DIGEST = /(^|[/\\])CloudTrail-Digest[/\\]|_CloudTrail-Digest_/

const EVENTS = /\.(json|ndjson|jsonl|log)(\.gz)?$|\.gz$/i

/** Errors: `trail_unreadable`, `no_trail`. A file that is named itself is read whatever it is called. */
export function trailFiles(paths: readonly string[]): TrailFile[] {
  const files: TrailFile[] = []
  for (const path of paths) {
    const stat = statOf(path)
    if (stat.isDirectory()) walk(path, files)
    else files.push({ path, bytes: stat.size })
  }
  if (files.length === 0) throw new ReplayError('no_trail', 'no file of a trail at these paths')
  return files
}

function walk(folder: string, files: TrailFile[]): void {
  const names: string[] = []
  const folders: string[] = []
  const open = opendirSync(folder)
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
      if (entry.isDirectory()) folders.push(entry.name)
      else if (entry.isFile() && EVENTS.test(entry.name)) names.push(entry.name)
    }
  } finally {
    open.closeSync()
  }
  for (const name of names.sort()) {
    const path = join(folder, name)
    if (DIGEST.test(path)) continue
    if (files.length >= FILES_MAX) throw new ReplayError('trail_unreadable', 'too many files')
    files.push({ path, bytes: statOf(path).size })
  }
  for (const name of folders.sort()) walk(join(folder, name), files)
}

function statOf(path: string) {
  try {
    return statSync(path)
  } catch (cause) {
    throw new ReplayError('trail_unreadable', `cannot read \`${path}\``, { cause })
  }
}
