// The one way from paths of a trail to a report: finds the files, scans them or takes what an earlier scan
// left, and tries the rules on it. The command and the tests use nothing else.

import { ReplayError } from './errors.ts'
import { storeOfGroups } from './groups/group-store.ts'
import { type Asked, replayed } from './report/replayed.ts'
import type { Report } from './report/report.ts'
import { TrailCache } from './store/cache.ts'
import { type Progress, scanTrail, type TrailInput } from './store/scan.ts'
import type { TrailStore } from './store/trail-store.ts'
import { isS3, listS3 } from './trail/s3-trail.ts'
import { type TrailFile, trailInput } from './trail/trail-files.ts'

export interface OpenOptions {
  readonly workers?: number
  readonly onProgress?: (progress: Progress) => void
  /** Folder of caches; without it nothing is kept and nothing kept is used. */
  readonly cache?: string
  /** Awaited before anything is scanned: what fails it is told at once, and what is cached is read meanwhile. */
  readonly before?: Promise<unknown>
}

export interface OpenTrail {
  readonly store: TrailStore
  /** True where an earlier scan of the same files was taken. */
  readonly fromCache: boolean
  readonly close: () => void
}

/** The trail at these paths, ready for any number of rules. Errors: `trail_unreadable`, `no_trail`. */
export async function openTrail(
  paths: readonly string[],
  options: OpenOptions = {},
): Promise<OpenTrail> {
  const input = await inputAt(paths)
  const cache = options.cache === undefined ? null : new TrailCache(options.cache, input.files)
  const cached = cache?.read() ?? null
  if (cached !== null) return { ...cached, fromCache: true }
  await options.before
  const scanned = await scanTrail(input, options)
  cache?.write(scanned.store)
  return { ...scanned, fromCache: false }
}

/** The groups that a query made where the trail lies. Errors: `bad_export`. */
export async function openGroups(path: string): Promise<OpenTrail> {
  return { store: await storeOfGroups(path), fromCache: false, close: () => undefined }
}

async function inputAt(paths: readonly string[]): Promise<TrailInput> {
  const local = paths.filter((path) => !isS3(path))
  const files: TrailFile[] = []
  let leftOut = 0
  for (const address of paths.filter(isS3)) {
    const listed = await listS3(address)
    files.push(...listed.files)
    leftOut += listed.leftOut
  }
  if (local.length === 0 && files.length === 0) {
    throw new ReplayError('no_trail', 'no object of a trail at these addresses')
  }
  const here = local.length === 0 ? { files: [], leftOut: 0 } : trailInput(local)
  return { files: [...files, ...here.files], leftOut: leftOut + here.leftOut }
}

export function reportOn({ store }: OpenTrail, asked: Asked): Report {
  return replayed(store, asked)
}
