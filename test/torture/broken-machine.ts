// The machine under a gate of this process, broken at a chosen step: each file operation of the ledger and each
// change of the state is one. Death leaves an image of the disk as `kill -9` or a loss of power would.
import {
  closeSync,
  cpSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { Files, OpenFile } from '@seconder/ledger/files'
import type { Random } from './random.ts'

export const FAULTS = [
  'kill-before',
  'kill-after',
  'torn',
  'power',
  'full',
  'sync-error',
  'database',
  'none',
] as const
export type Fault = (typeof FAULTS)[number]

/** Changes of the state that fail one after another while the database is locked. */
const LOCKED_STEPS = 5

class Broken extends Error {
  readonly code: string
  readonly errcode: number | undefined
  constructor(code: string, message: string, errcode?: number) {
    super(message)
    this.code = code
    this.errcode = errcode
  }
}

interface Unsynced {
  readonly file: { path: string }
  readonly position: number
  readonly before: Buffer
}

export class Machine {
  steps = 0
  isDead = false
  readonly #folder: string
  readonly #random: Random
  #fault: Fault = 'none'
  #at = 0
  #flying = 0
  #unsynced: Unsynced[] = []
  #wal = { synced: 0, isFull: true, inTransaction: false }
  #hasFailed = false

  /** Sound, under the gate in `folder`. */
  constructor(folder: string, random: Random) {
    this.#folder = folder
    this.#random = random
  }

  /** Breaks at step `at` from now, counted from 1. */
  breakAt(fault: Fault, at: number): void {
    this.#fault = fault
    this.#at = this.steps + at
  }

  get #image(): string {
    return join(this.#folder, 'image')
  }

  /** Nothing is written from here on. */
  die(cutWalAt?: number): void {
    if (this.isDead) return
    this.isDead = true
    rmSync(this.#image, { recursive: true, force: true })
    const state = join(this.#image, 'state')
    cpSync(join(this.#folder, 'state'), state, { recursive: true })
    const size = this.#walBytes()
    const lost = this.#fault === 'power' && size > this.#wal.synced
    const cut = cutWalAt ?? (lost ? this.#between(this.#wal.synced, size) : size)
    if (cut < size) truncateSync(join(state, 'state.db-wal'), cut)
  }

  /** Resolves when the image is whole: what was under way in the kernel at the death has ended. */
  async image(): Promise<string> {
    this.die()
    while (this.#flying > 0) await pause(1)
    const ledger = join(this.#image, 'ledger')
    cpSync(join(this.#folder, 'ledger'), ledger, { recursive: true })
    if (this.#fault === 'power') for (const write of this.#unsynced.reverse()) this.#lose(write)
    return this.#image
  }

  /** A write that no sync followed: all of it is lost, or what comes after some multiple of eight bytes. */
  #lose({ file, position, before }: Unsynced): void {
    const path = join(this.#image, file.path.slice(this.#folder.length))
    const kept = Math.floor((this.#random() * before.length) / 8) * 8
    const from = this.#random() < 0.5 ? 0 : kept
    let descriptor: number
    try {
      descriptor = openSync(path, 'r+')
    } catch {
      return // removed since
    }
    writeSync(descriptor, before, from, before.length - from, position + from)
    closeSync(descriptor)
  }

  #between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low))
  }

  #requireAlive(): void {
    if (this.isDead) throw new Broken('DEAD', 'the machine is dead')
  }

  /** Whether the step came at which it breaks. */
  get hasBroken(): boolean {
    return this.#fault !== 'none' && this.steps >= this.#at
  }

  async #step<T>(work: () => Promise<T>, torn?: () => Promise<unknown>): Promise<T> {
    this.#requireAlive()
    this.steps++
    const fires = this.steps === this.#at
    this.#flying++
    try {
      if (fires && this.#fault === 'torn') await torn?.()
      if (fires && (this.#fault === 'kill-before' || this.#fault === 'torn')) this.die()
      this.#requireAlive()
      const result = await work()
      if (fires && (this.#fault === 'kill-after' || this.#fault === 'power')) this.die()
      // Of what ended after the death nobody hears.
      this.#requireAlive()
      return result
    } finally {
      this.#flying--
    }
  }

  #requireSpace(): void {
    if (this.#fault === 'full' && this.hasBroken)
      throw new Broken('ENOSPC', 'no space left on device')
  }

  files(node: Files): Files {
    return {
      ...node,
      makeDirectory: (path) => this.#step(() => node.makeDirectory(path)),
      list: (path) => node.list(path),
      read: (path, bytesMax) => node.read(path, bytesMax),
      create: (path) =>
        this.#step(async () => {
          this.#requireSpace()
          return this.#openFile(await node.create(path), path)
        }),
      rename: (from, to) =>
        this.#step(async () => {
          await node.rename(from, to)
          for (const { file } of this.#unsynced) if (file.path === from) file.path = to
        }),
      remove: (path) => this.#step(() => node.remove(path)),
      removeEmptyDirectory: (path) => this.#step(() => node.removeEmptyDirectory(path)),
      syncDirectory: (path) => this.#step(() => node.syncDirectory(path)),
    }
  }

  #openFile(opened: OpenFile, path: string): OpenFile {
    const file = { path }
    const half = (bytes: Uint8Array) => bytes.subarray(0, Math.floor(bytes.length / 16) * 8)
    return {
      write: (bytes, position) =>
        this.#step(
          async () => {
            if (this.#fault === 'full' && this.hasBroken) await opened.write(half(bytes), position)
            this.#requireSpace()
            this.#unsynced.push({ file, position, before: bytesAt(path, position, bytes.length) })
            await opened.write(bytes, position)
          },
          () => opened.write(half(bytes), position),
        ),
      begin: () => opened.begin(),
      sync: () =>
        this.#step(async () => {
          if (this.#fault === 'sync-error' && this.hasBroken && !this.#hasFailed) {
            this.#hasFailed = true
            throw new Broken('EIO', 'i/o error')
          }
          const pending = new Set(this.#unsynced.filter((write) => write.file === file))
          await opened.sync()
          if (!this.isDead) this.#unsynced = this.#unsynced.filter((write) => !pending.has(write))
        }),
      close: () => opened.close(),
    }
  }

  #walBytes(): number {
    const path = join(this.#folder, 'state', 'state.db-wal')
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0
  }

  /** One change of the state. */
  change<T>(sql: string, work: () => T): T {
    this.#requireAlive()
    this.steps++
    const fires = this.steps === this.#at
    if (fires && this.#fault === 'kill-before') this.die()
    if (this.hasBroken) this.#failState()
    this.#requireAlive()
    const before = this.#walBytes()
    const result = work()
    if (sql.startsWith('BEGIN')) this.#wal.inTransaction = true
    if (sql === 'COMMIT' || sql === 'ROLLBACK') this.#wal.inTransaction = false
    const size = this.#walBytes()
    if (fires && this.#fault === 'torn')
      this.die(size > before ? this.#between(before, size) : size)
    if (!this.#wal.inTransaction && this.#wal.isFull) this.#wal.synced = size
    if (fires && (this.#fault === 'kill-after' || this.#fault === 'power')) this.die()
    this.#requireAlive()
    return result
  }

  #failState(): void {
    if (this.#fault === 'full') throw new Broken('ERR_SQLITE_ERROR', 'database or disk is full', 13)
    if (this.#fault === 'database' && this.steps < this.#at + LOCKED_STEPS) {
      throw new Broken('ERR_SQLITE_ERROR', 'database is locked', 5)
    }
  }

  /** Of statements that are not prepared. */
  heard(sql: string): void {
    if (sql.includes('synchronous = NORMAL')) this.#wal.isFull = false
    if (sql.includes('synchronous = FULL')) this.#wal.isFull = true
    if (sql === 'ROLLBACK') this.#wal.inTransaction = false
  }
}

/** What the file holds there; zeros past its end. */
function bytesAt(path: string, position: number, length: number): Buffer {
  const before = Buffer.alloc(length)
  try {
    const descriptor = openSync(path, 'r')
    readSync(descriptor, before, 0, length, position)
    closeSync(descriptor)
  } catch {
    // Renamed since: a file that is written under its last name is new.
  }
  return before
}

let current: Machine | null = null

/** Every gate that opens its files from now on stands on this machine. */
export function standOn(machine: Machine): void {
  current = machine
}

export function filesOfMachine(node: Files): Files {
  return current?.files(node) ?? node
}

/** Puts every change of a database in this process under the machine; returns what ends that. */
export function watchDatabases(): () => void {
  const { run } = StatementSync.prototype
  const { exec } = DatabaseSync.prototype
  StatementSync.prototype.run = function (this: StatementSync, ...values: SQLInputValue[]) {
    const work = () => Reflect.apply(run, this, values) as ReturnType<typeof run>
    return current ? current.change(this.sourceSQL, work) : work()
  } as typeof run
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
    exec.call(this, sql)
    current?.heard(sql)
  }
  return () => {
    StatementSync.prototype.run = run
    DatabaseSync.prototype.exec = exec
  }
}
