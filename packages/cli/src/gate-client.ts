// Talks to a gate's JSON API. What comes back is data of a server: whoever signs recomputes it.
import { CommandFailure } from './failure.ts'

export const DEFAULT_GATE = 'http://127.0.0.1:8788'

export interface GateFacts {
  readonly gate: string
  readonly epoch: number
  readonly version: string
  readonly refusing: string | null
  readonly roles: readonly string[]
  readonly endpoint: string
  readonly checkpoint: { readonly size: number; readonly root: string }
  readonly verifierKey: string
  readonly caFile: string
  readonly caCertificate: string
  /** Whose passkeys count, and on which pages. */
  readonly relyingParty: { readonly rpId: string; readonly origins: readonly string[] }
}

export interface SignedAct {
  readonly statement: string
  readonly signature: string
  readonly publicKey: string
}

export class GateClient {
  /** Without a slash at its end. */
  readonly base: string

  /** `url` is the console address that `seconder serve` printed; SECONDER_GATE is its default. */
  constructor(url: string | undefined) {
    this.base = (url ?? process.env['SECONDER_GATE'] ?? DEFAULT_GATE).replace(/\/$/, '')
  }

  facts(): Promise<GateFacts> {
    return this.get('/api/gate')
  }

  get<T>(path: string): Promise<T> {
    return this.send(path, { method: 'GET' })
  }

  post<T>(path: string, act: object): Promise<T> {
    return this.send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(act),
    })
  }

  /** One call as it is; an error that the gate answers is thrown in its words. */
  async send<T>(path: string, init: RequestInit): Promise<T> {
    let answer: Response
    try {
      answer = await fetch(`${this.base}${path}`, init)
    } catch {
      throw new CommandFailure(
        'gate_unreachable',
        `no gate answers at ${this.base}`,
        'start one with `seconder serve`, or name another with --gate URL',
      )
    }
    const body = (await answer.json().catch(() => null)) as { error?: ErrorWords } | null
    if (answer.ok && body !== null) return body as T
    const error = body?.error ?? {
      code: 'gate_error',
      message: `the gate answered ${answer.status}`,
      help: '',
    }
    throw new CommandFailure(error.code, error.message, error.help)
  }
}

interface ErrorWords {
  readonly code: string
  readonly message: string
  readonly help: string
}
