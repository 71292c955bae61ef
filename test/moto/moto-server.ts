// Starts moto, an AWS that keeps what it is told in memory, where this machine has it.
import { type ChildProcess, spawn } from 'node:child_process'
import { findProgram } from '../path/clients.ts'

export const MOTO = findProgram(
  'moto_server',
  (said) => said.includes('Port number to use'),
  '--help',
)
if (MOTO === undefined) {
  console.warn(
    'skipped: no moto_server in PATH or the well-known places (pip install moto[server])',
  )
}

export interface MotoServer {
  readonly url: string
  close(): Promise<void>
}

/** One empty moto on a free port of the loopback address. */
export async function startMoto(program: string): Promise<MotoServer> {
  const child = spawn(program, ['--host', '127.0.0.1', '--port', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // the program of a version manager is a shell that starts another one
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      MOTO_IAM_LOAD_MANAGED_POLICIES: 'false',
    },
  })
  const url = await addressOf(child)
  return { url, close: () => ended(child) }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      // Its log goes on, and is read away: a full pipe would stop it.
      if (said.length > 10_000) return
      said += chunk.toString()
      const url = /Running on (http:\/\/\S+)/.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`moto ended: ${said}`)))
  })
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.removeAllListeners('exit')
    child.once('exit', () => resolve())
    process.kill(-(child.pid ?? 0), 'SIGTERM')
  })
}
