// Starts one of the demo's processes: it gets the environment it is given and nothing else, speaks in
// lines, and ends with the demo. What it says on standard error is kept for the case that it fails.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { DemoError } from './errors.ts'

/** Characters of standard error that are kept. */
const STDERR_CHARS_MAX = 4_000

export interface ChildOptions {
  /** For messages: `gate`, `agent`, `reviewer`. */
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  /** Its whole environment. */
  readonly environment: Readonly<Record<string, string>>
  readonly onLine: (line: string) => void
}

export interface Child extends AsyncDisposable {
  /** Resolves when it has ended by itself with code 0, or was stopped; rejects with `child_failed`. */
  readonly ended: Promise<void>
}

export function startChild({ name, file, args, environment, onLine }: ChildOptions): Child {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  let stopped = false
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-STDERR_CHARS_MAX)
  })
  createInterface({ input: child.stdout }).on('line', onLine)
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const ended = closed.then((code) => {
    if (code === 0 || stopped) return
    const help = complaint.trim() === '' ? 'it said nothing' : complaint.trim()
    throw new DemoError('child_failed', `the ${name} ended with code ${code}`, help)
  })
  // Whoever waits for it hears of a failure; until then it must not end the demo from the side.
  ended.catch(() => undefined)
  return {
    ended,
    [Symbol.asyncDispose]: async () => {
      stopped = true
      child.kill('SIGTERM')
      await closed
    },
  }
}
