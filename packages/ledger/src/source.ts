// Where a verifier reads from: names and bytes, nothing else. A directory, a browser's files, or a
// web server can be one. Also what is there, by kind. Runs in browsers.

import { LedgerError } from './errors.ts'
import { ledgerFile } from './layout.ts'
import type { Findings } from './report.ts'
import { TILE_WIDTH, type TileName, tilePath } from './tiles.ts'

export interface LedgerSource {
  /** Every file below the directory, by its name relative to it, with `/`. */
  list(): Iterable<string> | Promise<Iterable<string>>
  /** The bytes of a listed file. */
  read(name: string): Uint8Array | Promise<Uint8Array>
}

/** The files of a source, sorted by what they are. */
export class Inventory {
  readonly journals: { readonly name: string; readonly firstIndex: number }[] = []
  readonly payloads: { readonly name: string; readonly sha256: string }[] = []
  readonly staging: string[] = []
  hasLock = false
  hasCheckpoint = false
  readonly #source: LedgerSource
  readonly #findings: Findings
  /** The widths that are there, by level and index: `0/17` -> [3, 256]. */
  readonly #tiles = new Map<string, number[]>()

  constructor(source: LedgerSource, findings: Findings) {
    this.#source = source
    this.#findings = findings
  }

  async load(): Promise<void> {
    for (const name of await this.#source.list()) this.#sort(name)
    this.journals.sort((left, right) => left.firstIndex - right.firstIndex)
  }

  #sort(name: string): void {
    const file = ledgerFile(name)
    switch (file.kind) {
      case 'checkpoint':
        this.hasCheckpoint = true
        return
      case 'lock':
        this.hasLock = true
        return
      case 'staging':
        this.staging.push(name)
        return
      case 'payload':
        this.payloads.push({ name, sha256: file.sha256 })
        return
      case 'journal':
        this.journals.push({ name, firstIndex: file.firstIndex })
        return
      case 'tile': {
        const { level, index, width } = file.tile
        const key = `${level}/${index}`
        this.#tiles.set(key, [...(this.#tiles.get(key) ?? []), width])
        return
      }
      case 'unknown':
        this.#findings.add('unknown_file', name, 'no file of a ledger has that name')
    }
  }

  /** Whether this tile is there in this width and was not taken yet. */
  hasTile(level: TileName['level'], index: number, width: number): boolean {
    return this.#tiles.get(`${level}/${index}`)?.includes(width) ?? false
  }

  /** Whether this tile is there in its full width and in no other. */
  hasFullOnly(level: TileName['level'], index: number): boolean {
    const widths = this.#tiles.get(`${level}/${index}`)
    return widths?.length === 1 && widths[0] === TILE_WIDTH
  }

  /** The widths in which this tile is there; they are then accounted for. */
  takeWidths(level: TileName['level'], index: number): number[] {
    const key = `${level}/${index}`
    const widths = this.#tiles.get(key) ?? []
    this.#tiles.delete(key)
    return widths
  }

  /** The tiles that nobody took: no signed checkpoint says what is in them. */
  leftTiles(): string[] {
    const names: string[] = []
    for (const [key, widths] of this.#tiles) {
      const [levelText = '', index] = key.split('/')
      const level = levelText === 'entries' ? levelText : Number(levelText)
      for (const width of widths) names.push(tilePath({ level, index: Number(index), width }))
    }
    return names.sort()
  }

  /** The bytes of the file, or null after noting that they could not be read. */
  async read(name: string): Promise<Uint8Array | null> {
    try {
      return await this.#source.read(name)
    } catch (error) {
      const isOurs = error instanceof LedgerError
      const message = isOurs ? error.message : 'it could not be read'
      this.#findings.add('unreadable', name, message)
      return null
    }
  }
}
