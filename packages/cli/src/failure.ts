// How the command ends: documented exit codes, and one way to say what went wrong.
import { withoutHidden } from '@seconder/gateway/lib/plain-text'

/** 0 done, 1 failed, 2 usage, 3 needs review, 4 denied. */
export const EXIT = { done: 0, failed: 1, usage: 2, needsReview: 3, denied: 4 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends the command with a message, a help line and an exit code. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode
  readonly code: string
  readonly help: string

  constructor(code: string, message: string, help: string, exitCode: ExitCode = EXIT.failed) {
    super(message)
    this.name = 'CommandFailure'
    this.code = code
    this.help = help
    this.exitCode = exitCode
  }
}

/** Says on standard error what went wrong, and returns the exit code. Never a stack trace. */
export function report(error: unknown): ExitCode {
  const { code, message, help } = wordsOf(error)
  process.stderr.write(`seconder: ${linesOf(message)}${code ? ` (${withoutHidden(code)})` : ''}\n`)
  if (help) process.stderr.write(`  ${linesOf(help)}\n`)
  return error instanceof CommandFailure ? error.exitCode : EXIT.failed
}

/** What a gate said of itself, or a file, is not obeyed by a terminal. */
function linesOf(text: string): string {
  return text.split('\n').map(withoutHidden).join('\n')
}

function wordsOf(error: unknown): { code: string; message: string; help: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error), help: '' }
  const code = 'code' in error ? String(error.code) : ''
  const help = 'help' in error ? String(error.help) : ''
  return { code, message: error.message, help }
}
