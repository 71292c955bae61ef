// What people sign about sessions of agents: to open one, to give one new keys, to end one; each with what ends by it.
import type { WireRequest } from '@seconder/aws/wire-request'
import { Rate } from '../lib/rate.ts'
import type { GivenAct } from '../lib/signed-act.ts'
import type { SessionRow } from '../state/store.ts'
import { agentSession, SAID_PER_SESSION } from './agent-act.ts'
import { closeSession } from './session-closing.ts'
import { type OpenedSession, type OpeningOptions, openSession } from './session-opening.ts'
import { type ResumedSession, resumeSession } from './session-resuming.ts'

export interface SessionDeskOptions extends OpeningOptions {
  /** Lets go of what was lent to sessions that are open no more. */
  readonly forgetEnded: () => Promise<void>
  readonly ended: (cancelledRequests: readonly string[]) => void
}

export class SessionDesk {
  readonly #options: SessionDeskOptions
  readonly #said: Rate

  constructor(options: SessionDeskOptions) {
    this.#options = options
    this.#said = new Rate(options.clock, SAID_PER_SESSION)
  }

  open(act: GivenAct): Promise<OpenedSession> {
    return openSession(this.#options, act)
  }

  resume(act: GivenAct): Promise<ResumedSession> {
    return this.#ending(async () => {
      const resumed = await resumeSession(this.#options, act)
      this.#options.ended(resumed.cancelledRequests)
      return resumed
    })
  }

  close(act: GivenAct): Promise<readonly string[]> {
    return this.#ending(async () => {
      const cancelled = await closeSession(this.#options, act)
      this.#options.ended(cancelled)
      return cancelled
    })
  }

  /** The open session whose key signed a call to the gate itself. */
  ofAgent(request: WireRequest): Promise<SessionRow> {
    const { store, clock } = this.#options
    return agentSession(request, store, clock.nowMs(), this.#said)
  }

  async #ending<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      await this.#options.forgetEnded()
    }
  }
}
