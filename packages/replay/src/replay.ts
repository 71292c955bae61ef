// The one way from paths of a trail to a report: finds the files, scans them or takes what an earlier scan
// left, and tries the rules on it. The command and the tests use nothing else.

import { type Asked, replayed } from './report/replayed.ts'
import type { Report } from './report/report.ts'
import { TrailCache } from './store/cache.ts'
import { type Progress, scanTrail } from './store/scan.ts'
import type { TrailStore } from './store/trail-store.ts'
import { trailInput } from './trail/trail-files.ts'

export interface OpenOptions {
  readonly workers?: number
  readonly onProgress?: (progress: Progress) => void
  /** Folder of caches; without it nothing is kept and nothing kept is used. */
  readonly cache?: string
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
  const input = trailInput(paths)
  const cache = options.cache === undefined ? null : new TrailCache(options.cache, input.files)
  const cached = cache?.read() ?? null
  if (cached !== null) return { ...cached, fromCache: true }
  const scanned = await scanTrail(input, options)
  cache?.write(scanned.store)
  return { ...scanned, fromCache: false }
}

export function reportOn({ store }: OpenTrail, asked: Asked): Report {
  return replayed(store, asked)
}
