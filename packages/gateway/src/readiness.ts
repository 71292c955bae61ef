// Whether a gate can do its work now: what a load balancer or a supervisor asks, in one word for each part of it.
// It says that something fails, never why: anybody on this host may ask.

export type Ready = 'ok' | 'failing' | 'unknown'

export interface Readiness {
  readonly ready: boolean
  /** `draining` is `failing` while the gate stops. `unknown`: no answer in time, which is not ready. */
  readonly checks: Readonly<Record<string, Ready>>
}

/** Resolves where the part is well, and rejects where it is not. */
export type Check = () => Promise<unknown>

/** An answer is given again for this long, so that whoever asks often costs nothing. In milliseconds. */
export const ANSWER_KEPT_MS = 1_000
/** How long one part may take, in milliseconds. */
export const CHECK_MS_MAX = 2_000

/** Asks each part, one round at a time however many ask. */
export class ReadinessLook {
  readonly #checks: Readonly<Record<string, Check>>
  #isDraining = false
  #asked: { readonly atMs: number; readonly answer: Promise<Readiness['checks']> } | null = null

  constructor(checks: Readonly<Record<string, Check>>) {
    this.#checks = checks
  }

  /** From now on it is not ready, whatever else is so. */
  drain(): void {
    this.#isDraining = true
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  async now(): Promise<Readiness> {
    const nowMs = performance.now()
    if (this.#asked === null || nowMs - this.#asked.atMs >= ANSWER_KEPT_MS) {
      this.#asked = { atMs: nowMs, answer: this.#round() }
    }
    const found = await this.#asked.answer
    const draining: Ready = this.#isDraining ? 'failing' : 'ok'
    const checks = { ...found, draining }
    return { ready: Object.values(checks).every((one) => one === 'ok'), checks }
  }

  async #round(): Promise<Readiness['checks']> {
    const asked = Object.entries(this.#checks).map(async ([name, check]) => {
      return [name, await stateOf(check)] as const
    })
    return Object.fromEntries(await Promise.all(asked))
  }
}

function stateOf(check: Check): Promise<Ready> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('unknown'), CHECK_MS_MAX)
    const end = (state: Ready) => {
      clearTimeout(timer)
      resolve(state)
    }
    Promise.resolve()
      .then(check)
      .then(
        () => end('ok'),
        () => end('failing'),
      )
  })
}
