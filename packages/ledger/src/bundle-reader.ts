// Plain bundles of a directory, in the thread that asks: files are read into the same memory again and
// again, because making a new place for each costs more than reading it.

import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { FullBundle } from './full-bundle.ts'
import { BUNDLE_BYTES_MAX, TILE_BYTES_MAX } from './layout.ts'
import { nodePrimitives } from './node.ts'
import { bundleName, type PlainBundle, tileName } from './plain-bundles.ts'

const FIRST_BYTES = 256 * 1024

export class BundleReader {
  readonly #directory: string
  readonly #wantsEntries: boolean
  readonly #full = new FullBundle(nodePrimitives)
  // One byte more than there can be, so that a file that is too long shows.
  readonly #tile = new Uint8Array(TILE_BYTES_MAX + 1)
  #bundle = new Uint8Array(FIRST_BYTES)

  constructor(directory: string, wantsEntries: boolean) {
    this.#directory = directory
    this.#wantsEntries = wantsEntries
  }

  /** See PlainBundles; its root is valid until the next call, its bytes are the caller's own. */
  at(index: number): PlainBundle | null {
    try {
      const bytes = this.#readBundle(index)
      const tile = this.#readInto(tileName(index), this.#tile)
      const root = bytes && tile && this.#full.rootOf(bytes, tile)
      return root && bytes && { root, bytes: this.#wantsEntries ? bytes.slice() : null }
    } catch {
      return null // the walk that names files reads it again, and says why
    }
  }

  #readBundle(index: number): Uint8Array | null {
    for (;;) {
      const read = this.#readInto(bundleName(index), this.#bundle)
      if (read !== null || this.#bundle.length > BUNDLE_BYTES_MAX) return read
      this.#bundle = new Uint8Array(Math.min(2 * this.#bundle.length, BUNDLE_BYTES_MAX + 1))
    }
  }

  /** The bytes of the file in `into`, or null where there are more than it holds. */
  #readInto(name: string, into: Uint8Array): Uint8Array | null {
    const descriptor = openSync(join(this.#directory, name), 'r')
    try {
      // A regular file is read short at its end alone; were it not, the bundle would not be plain.
      const length = readSync(descriptor, into, 0, into.length, null)
      return length === into.length ? null : into.subarray(0, length)
    } finally {
      closeSync(descriptor)
    }
  }
}
