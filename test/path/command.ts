// Runs the `seconder` command as a process of its own, by the launcher that people call, against a gate of the
// harness. Its home is empty: what it remembers is what this test let it remember.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { COMPILED } from '../compiled.ts'
import type { Harness, Keys } from './harness.ts'

const LAUNCHER = join(import.meta.dirname, '..', '..', 'seconder')

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

export class CommandLine {
  readonly #home = mkdtempSync(join(tmpdir(), 'seconder-home-'))
  readonly #gate: Harness

  constructor(gate: Harness) {
    this.#gate = gate
  }

  /** As somebody whose key is named, or as nobody. */
  person(name: string | null, ...args: readonly string[]): Promise<Ended> {
    const key = name === null ? [] : ['--ssh-key', this.#gate.keys.get(name) ?? '']
    return this.#run([...args, ...key], {})
  }

  /** In an agent's shell, with the keys of its session and nothing else. */
  agent(keys: Keys, ...args: readonly string[]): Promise<Ended> {
    const { accessKeyId, secretAccessKey } = keys
    const environ = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    return this.#run(args, environ)
  }

  remove(): void {
    rmSync(this.#home, { recursive: true, force: true })
  }

  #run(args: readonly string[], environ: Record<string, string>): Promise<Ended> {
    const env = {
      PATH: process.env['PATH'],
      HOME: this.#home,
      ...COMPILED,
      SECONDER_GATE: this.#gate.running.consoleUrl,
      ...environ,
    }
    return new Promise((resolve) => {
      execFile(process.execPath, [LAUNCHER, ...args], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      )
    })
  }
}

/** What a command with `--json` printed: one line, and nothing else beside it. */
export function jsonOf<T = Record<string, unknown>>({ code, out, err }: Ended): T {
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.trim().split('\n')).toHaveLength(1)
  return JSON.parse(out) as T
}

/** A refusal as every command says it: exit code, code in brackets, what to do next; no stack trace, no key. */
export function expectRefused({ code, out, err }: Ended, exit: number, errorCode: string): string {
  const lines = err.split('\n')
  const said = lines.findIndex((line) => line.startsWith('seconder: '))
  expect({ code, out, err: lines[said] }).toEqual({
    code: exit,
    out: '',
    err: expect.stringMatching(new RegExp(`^seconder: .+ \\(${errorCode}\\)$`)),
  })
  expect(lines[said + 1]).toMatch(/^ {2}\S/)
  expect(err).not.toMatch(/\n\s+at |node:internal|PRIVATE KEY/)
  return err
}
