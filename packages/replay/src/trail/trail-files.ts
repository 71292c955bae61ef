// Finds the files of a trail: each path is a file or a folder that is walked whole. Files come in the
// order of their names, which for CloudTrail's own is the order of time.

import { opendirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ReplayError } from '../errors.ts'
import { isLeftOut, isTrailName } from './trail-names.ts'

export const FILES_MAX = 5_000_000

export interface TrailFile {
  readonly path: string
  readonly bytes: number
  /** What tells one content from another, where it is no file of this machine. */
  readonly version?: string
}

/** Errors: `trail_unreadable`, `no_trail`. A file that is named itself is read whatever it is called. */
export function trailFiles(paths: readonly string[]): TrailFile[] {
  return [...trailInput(paths).files]
}

/** The files, and how many were left out: by their names they hold no events of calls, or are no files. */
export function trailInput(paths: readonly string[]): {
  readonly files: readonly TrailFile[]
  readonly leftOut: number
} {
  const files: TrailFile[] = []
  let leftOut = 0
  for (const path of paths) {
    const stat = statOf(path)
    if (stat.isDirectory()) leftOut += walk(path, files)
    else files.push({ path, bytes: stat.size })
  }
  if (files.length === 0) throw new ReplayError('no_trail', 'no file of a trail at these paths')
  return { files, leftOut }
}

function walk(folder: string, files: TrailFile[]): number {
  let leftOut = 0
  const names: string[] = []
  const folders: string[] = []
  const open = opendirSync(folder)
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
      if (entry.isDirectory()) folders.push(entry.name)
      else if (entry.isFile() && isTrailName(entry.name)) names.push(entry.name)
      // Files of other names, links and devices: counted, so that nothing is missed in silence.
      else leftOut++
    }
  } finally {
    open.closeSync()
  }
  for (const name of names.sort()) {
    const path = join(folder, name)
    if (isLeftOut(path)) {
      leftOut++
      continue
    }
    if (files.length >= FILES_MAX) throw new ReplayError('trail_unreadable', 'too many files')
    files.push({ path, bytes: statOf(path).size })
  }
  for (const name of folders.sort()) leftOut += walk(join(folder, name), files)
  return leftOut
}

function statOf(path: string) {
  try {
    return statSync(path)
  } catch (cause) {
    throw new ReplayError('trail_unreadable', `cannot read \`${path}\``, { cause })
  }
}
