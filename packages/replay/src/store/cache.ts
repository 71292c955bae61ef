// Where the caches of trails are, and which of them is of which trail: one file for a list of files with
// their sizes and times, read by this very code. It holds names of the trail, but no parameters and no keys.

import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { buildHash } from '@seconder/gateway/epoch/content'
import type { TrailFile } from '../trail/trail-files.ts'
import { readCache, writeCache } from './cache-file.ts'
import type { TrailStore } from './trail-store.ts'

/** Caches kept in a folder; the oldest goes first. */
export const CACHES_MAX = 12

export type Cached = ReturnType<typeof readCache>

export class TrailCache {
  readonly #folder: string
  readonly #key: string
  readonly #path: string

  constructor(folder: string, files: readonly TrailFile[]) {
    this.#folder = folder
    this.#key = keyOf(files)
    this.#path = join(folder, `${this.#key.slice(0, 32)}.trail`)
  }

  read(): Cached {
    return readCache(this.#path, this.#key)
  }

  /** False where it could not be written: the report does not depend on it. */
  write(store: TrailStore): boolean {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      writeCache(this.#path, this.#key, store)
      prune(this.#folder)
      return true
    } catch {
      return false // no room or no right: the next policy reads the trail again
    }
  }
}

/** The user's folder for caches. Source: XDG Base Directory Specification, $XDG_CACHE_HOME. */
export function cacheFolder(environ: Readonly<Record<string, string | undefined>>): string {
  const base = environ['XDG_CACHE_HOME'] || join(environ['HOME'] || homedir(), '.cache')
  return join(base, 'seconder', 'replay')
}

/** Files that changed in name, size or time make another key, and so does another build. */
function keyOf(files: readonly TrailFile[]): string {
  const listed = files.map(({ path, bytes, version }) => [path, bytes, version ?? modified(path)])
  return hash('sha256', JSON.stringify([buildHash(), ownHash(), listed]))
}

function modified(path: string): string {
  try {
    return `${realpathSync(path)} ${statSync(path).mtimeMs}`
  } catch {
    return 'unreadable' // the scan will say so
  }
}

/** What reads trails, as it stands on the disk. */
function ownHash(): string {
  const texts = ['event', 'store', 'trail', '../data'].flatMap((folder) => {
    const at = join(import.meta.dirname, '..', folder)
    return readdirSync(at)
      .filter((name) => !/\.test\.[jt]s$/.test(name))
      .sort()
      .map((name) => `${name}\n${readFileSync(join(at, name), 'utf8')}`)
  })
  return hash('sha256', texts.join('\0'))
}

function prune(folder: string): void {
  const caches = readdirSync(folder)
    .filter((name) => name.endsWith('.trail'))
    .map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at)
  for (const { path } of caches.slice(CACHES_MAX)) rmSync(path, { force: true })
}
