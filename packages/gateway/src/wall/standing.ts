// How the wall stands, for `seconder doctor`: what the gate is, what it stands on, what it protects, which
// environments only observe, and what could be looked at in AWS. Asked of AWS at most once a minute.
import { userInfo } from 'node:os'
import type { ProtectedRow } from '../describe/guarded.ts'
import type { ActiveEpoch } from '../epoch/active.ts'
import { type Observing, observingNow } from '../epoch/observing.ts'
import type { OwnLook } from '../execute/own-look.ts'
import type { Clock } from '../lib/clock.ts'
import type { NotifyStanding } from '../notify/notifier.ts'
import type { Place } from './places.ts'

/** How long one look at AWS holds, in milliseconds: members and agents may ask often. */
export const LOOK_MS = 60_000

export interface Standing {
  readonly user: { readonly name: string; readonly uid: number | null; readonly pid: number }
  /** The gate's own ARN, null where an emulator stands for AWS. */
  readonly own: string | null
  readonly assumesRoles: boolean
  readonly places: readonly Place[]
  readonly protect: readonly ProtectedRow[]
  /** Environments that do not enforce now, and until when. */
  readonly observing: readonly Observing[]
  readonly notices: readonly string[]
  /** Whom requests are told to, and how that goes; null where nobody is told. */
  readonly notify: NotifyStanding | null
  readonly aws: OwnLook
}

/** What an agent's session is told: whom it must not be and what it must not reach, so that it can be tried. */
export function asSessionSees({ user, places }: Standing): Pick<Standing, 'user' | 'places'> {
  return { user, places }
}

export interface StandingFacts {
  readonly own: string | null
  readonly assumesRoles: boolean
  readonly places: () => readonly Place[]
  readonly epoch: () => ActiveEpoch
  readonly notices: () => Promise<readonly string[]>
  readonly notify: () => NotifyStanding | null
  readonly look: () => Promise<OwnLook>
  readonly clock: Clock
}

export class StandingDesk {
  readonly #facts: StandingFacts
  #looked: { readonly look: Promise<OwnLook>; readonly atMs: number } | null = null

  constructor(facts: StandingFacts) {
    this.#facts = facts
  }

  async now(): Promise<Standing> {
    const { own, assumesRoles, places, epoch, notices, notify, clock } = this.#facts
    const nowMs = clock.nowMs()
    const { content, observingSince } = epoch()
    return {
      user: { name: userInfo().username, uid: process.getuid?.() ?? null, pid: process.pid },
      own,
      assumesRoles,
      places: places(),
      protect: content.protect ?? [],
      observing: observingNow(content.environments, observingSince, nowMs),
      notices: await notices(),
      notify: notify(),
      aws: await this.#look(nowMs),
    }
  }

  #look(nowMs: number): Promise<OwnLook> {
    if (this.#looked === null || nowMs - this.#looked.atMs > LOOK_MS) {
      this.#looked = { look: this.#facts.look(), atMs: nowMs }
    }
    return this.#looked.look
  }
}
