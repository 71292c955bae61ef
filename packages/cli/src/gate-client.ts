// Talks to a gate's JSON API. What comes back is data of a server: whoever signs recomputes it.
import type { Observing } from '@seconder/gateway/epoch/observing'
import type { Readiness } from '@seconder/gateway/readiness'
import { CommandFailure } from './failure.ts'

export const DEFAULT_GATE = 'http://127.0.0.1:8788'

export interface GateFacts {
  readonly gate: string
  readonly epoch: number
  readonly version: string
  readonly refusing: string | null
  readonly roles: readonly string[]
  /** Environments that only observe now, and until when. */
  readonly observing: readonly Observing[]
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

/** Lends the headers that say who reads; `isRefused` when those of before were not taken. */
export interface Reading {
  headers(client: GateClient, isRefused: boolean): Promise<Readonly<Record<string, string>>>
}

export class GateClient {
  /** Without a slash at its end. */
  readonly base: string
  #reading: Reading | null

  /** `url` is the console address that `seconder serve` printed; SECONDER_GATE is its default. */
  constructor(url: string | undefined, reading: Reading | null = null) {
    this.base = (url ?? process.env['SECONDER_GATE'] ?? DEFAULT_GATE).replace(/\/$/, '')
    this.#reading = reading
  }

  /** Who reads from here on, unless somebody does already. */
  readAs(reading: Reading): void {
    this.#reading ??= reading
  }

  facts(): Promise<GateFacts> {
    return this.open('/api/gate')
  }

  /** What the gate says it can do now, or null where nothing there says so. */
  async ready(): Promise<Readiness | null> {
    const answer = await fetch(`${this.base}/readyz`, {
      redirect: 'error',
      signal: AbortSignal.timeout(READY_MS_MAX),
    }).catch(() => null)
    if (answer === null || ![200, 503].includes(answer.status)) return null
    const said: unknown = await answer.json().catch(() => null)
    return isReadiness(said) ? said : null
  }

  /** What anybody may ask. */
  open<T>(path: string): Promise<T> {
    return this.send(path, { method: 'GET' })
  }

  async get<T>(path: string): Promise<T> {
    const reading = this.#reading
    if (reading === null) return this.open(path)
    try {
      const headers = await reading.headers(this, false)
      return await this.send(path, { method: 'GET', headers })
    } catch (cause) {
      if (!(cause instanceof CommandFailure) || cause.code !== 'sign_in_needed') throw cause
      const headers = await reading.headers(this, true)
      return this.send(path, { method: 'GET', headers })
    }
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

/** The gate answers within two seconds, or calls what it could not look at unknown. */
const READY_MS_MAX = 10_000
const STATES = new Set<unknown>(['ok', 'failing', 'unknown'])

function isReadiness(said: unknown): said is Readiness {
  const { ready, checks } = (said ?? {}) as Partial<Readiness>
  if (typeof ready !== 'boolean' || typeof checks !== 'object' || checks === null) return false
  const named = Object.entries(checks)
  return named.every(([name, state]) => /^[a-z]{1,20}$/.test(name) && STATES.has(state))
}

interface ErrorWords {
  readonly code: string
  readonly message: string
  readonly help: string
}
