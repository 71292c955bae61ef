// Files in memory that know what a disk would still have after the power went: contents that were
// synced, and names whose directory was synced. What was not synced is kept or lost at random, as
// `random` says; a write that was not synced may be there in part, up to a multiple of 8 bytes.

import type { Files } from '../src/files.ts'
import type { LedgerSource } from '../src/source.ts'

interface Inode {
  bytes: Uint8Array
  durable: Uint8Array
}

type Names = Map<string, Inode | 'directory'>

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

export class PowerLossFiles implements Files {
  #names: Names = new Map()
  #durableNames: Names = new Map()

  lock(path: string) {
    this.#names.set(path, { bytes: new Uint8Array(0), durable: new Uint8Array(0) })
    return { release: () => {} }
  }

  async makeDirectory(path: string) {
    let made: string | undefined
    for (let name = path; name !== '/'; name = parentOf(name)) {
      if (!this.#names.has(name)) made = name
      this.#names.set(name, 'directory')
    }
    return made
  }

  async list(path: string) {
    const names = [...this.#names.keys()].filter((name) => parentOf(name) === path)
    return names.map((name) => name.slice(path.length + 1)).sort()
  }

  async read(path: string) {
    const inode = this.#names.get(path)
    return inode === undefined || inode === 'directory' ? null : inode.bytes.slice()
  }

  async create(path: string) {
    if (this.#names.has(path) || this.#names.get(parentOf(path)) !== 'directory') {
      throw new Error(`cannot create ${path}`)
    }
    const inode: Inode = { bytes: new Uint8Array(0), durable: new Uint8Array(0) }
    this.#names.set(path, inode)
    return {
      async write(bytes: Uint8Array, position: number) {
        const grown = new Uint8Array(Math.max(inode.bytes.length, position + bytes.length))
        grown.set(inode.bytes)
        grown.set(bytes, position)
        inode.bytes = grown
      },
      // What the disk began on may be lost all the same.
      begin() {},
      async sync() {
        inode.durable = inode.bytes
      },
      async close() {},
    }
  }

  async rename(from: string, to: string) {
    const inode = this.#names.get(from)
    if (inode === undefined || this.#names.get(parentOf(to)) !== 'directory') {
      throw new Error(`cannot rename ${from}`)
    }
    this.#names.set(to, inode)
    this.#names.delete(from)
  }

  async remove(path: string) {
    this.#names.delete(path)
  }

  async removeEmptyDirectory(path: string) {
    if ((await this.list(path)).length === 0) this.#names.delete(path)
  }

  async syncDirectory(path: string) {
    const isDirectory = path === '/' || this.#names.get(path) === 'directory'
    if (!isDirectory) throw new Error(`cannot sync ${path}`)
    for (const name of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      if (parentOf(name) === path) this.#settle(name)
    }
  }

  #settle(name: string) {
    const inode = this.#names.get(name)
    if (inode === undefined) this.#durableNames.delete(name)
    else this.#durableNames.set(name, inode)
  }

  /** The power goes and comes back. */
  losePower(random: () => number) {
    for (const name of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      if (random() < 0.5) this.#settle(name)
    }
    for (const inode of this.#durableNames.values()) {
      if (inode !== 'directory') inode.bytes = survivor(inode, random)
    }
    // A name below a directory that is lost is lost with it.
    for (const name of [...this.#durableNames.keys()].sort()) {
      const parent = parentOf(name)
      if (parent !== '/' && !this.#durableNames.has(parent)) this.#durableNames.delete(name)
    }
    this.#names = new Map(this.#durableNames)
  }

  /** The files below `directory`, for the verifier. */
  source(directory: string): LedgerSource {
    const names = [...this.#names].filter(([, inode]) => inode !== 'directory')
    const files = new Map(names.map(([name, inode]) => [name.slice(directory.length + 1), inode]))
    return {
      list: () => files.keys(),
      read(name) {
        const inode = files.get(name)
        if (inode === undefined || inode === 'directory') throw new Error(`no ${name}`)
        return inode.bytes
      },
    }
  }
}

function survivor({ bytes, durable }: Inode, random: () => number): Uint8Array {
  const changed = bytes.findIndex((byte, at) => byte !== (durable[at] ?? 0))
  if (bytes.length === durable.length && changed === -1) return durable
  const choice = random()
  if (choice < 0.4) return durable
  if (choice < 0.7) return bytes
  const from = Math.floor((changed === -1 ? durable.length : changed) / 8) * 8
  const cut = from + Math.floor((random() * (bytes.length - from)) / 8) * 8
  const torn = new Uint8Array(bytes.length)
  torn.set(durable.subarray(0, bytes.length))
  torn.set(bytes.subarray(0, cut))
  return torn
}
