// Starts a program of ours or a peer as a child on a given core, talks to it over IPC, and ends it.
// Ends only what it started.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'

const START_TIMEOUT_MS = 20_000
/** Linux: the unit of utime and stime, fixed for user space. Source: proc_pid_stat(5). */
const TICKS_PER_SECOND = 100

/** Whether a child can be held on one core: two cores or more, and `taskset`. */
export const canPin = os.availableParallelism() >= 2 && spawnSync('taskset', ['-V']).status === 0

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly core: number
  /** Ends in time by itself when it is told to over IPC; for our own programs. */
  readonly speaks: boolean
  readonly environment?: Readonly<Record<string, string>>
}

export class Child {
  readonly process: ChildProcess

  constructor({ command, args, core, speaks, environment }: Launch) {
    const [program, ...rest] = canPin
      ? ['taskset', '-c', String(core), command, ...args]
      : [command, ...args]
    this.process = spawn(program ?? command, rest, {
      stdio: speaks ? ['ignore', 'ignore', 'inherit', 'ipc'] : 'ignore',
      env: { ...process.env, ...environment },
    })
  }

  /** Sends a message and returns the next one that comes back. */
  ask<Answer>(message: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const answered = (answer: unknown) => {
        this.process.off('exit', ended)
        resolve(answer as Answer)
      }
      const ended = (code: number | null) => {
        this.process.off('message', answered)
        reject(new Error(`a child of the bench ended with ${code}`))
      }
      this.process.once('message', answered)
      this.process.once('exit', ended)
      this.process.send(message)
    })
  }

  /** Seconds of CPU that it has used, or null where the kernel does not say. */
  cpuSeconds(): number | null {
    let text: string
    try {
      text = readFileSync(`/proc/${this.process.pid}/stat`, 'utf8')
    } catch {
      return null // no procfs
    }
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = once(this.process, 'exit')
    if (this.process.connected) this.process.disconnect()
    else this.process.kill('SIGTERM')
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(timer)
  }
}

/** One of our programs, in this folder. */
export function program(name: string, core: number, flags: readonly string[] = []): Child {
  const file = new URL(`./${name}.ts`, import.meta.url).pathname
  return new Child({ command: process.execPath, args: [...flags, file], core, speaks: true })
}

/** A loopback port that was free a moment ago, for peers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when something accepts connections there; rejects after twenty seconds. */
export async function listening(port: number): Promise<void> {
  const lateMs = performance.now() + START_TIMEOUT_MS
  while (performance.now() < lateMs) {
    const socket = net.connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`nothing listens on the port after ${START_TIMEOUT_MS} ms`)
}
