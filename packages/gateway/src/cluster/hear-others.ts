// What a gateway does of itself when another one of the same state did something: its copies of what changed go,
// whoever waits here is woken, and what a dead one left is ended.
import type { UpstreamAccess } from '../execute/credentials.ts'
import type { Foundation } from '../foundation.ts'
import type { Gate } from '../gate.ts'
import type { Following } from '../path/following.ts'
import type { Recorded } from '../record/recorder.ts'

type Heard = Pick<Foundation, 'shared' | 'recorder' | 'endLeft'>

/** Entries after which what was lent to a session may be good no more. */
const ENDING = /^session-(closed|suspended|resumed)$|^people-changed$/

interface Followed {
  readonly access: UpstreamAccess
  readonly following: Following
}

export function hearOthers(gate: Gate, heard: Heard, { access, following }: Followed): void {
  const { shared, recorder, endLeft } = heard
  if (!shared) return
  const follow = async (type: Recorded['type']) => {
    if (type === 'epoch-activated') await gate.inForce()
    if (ENDING.test(type)) await access.forgetEnded()
    if (type === 'people-changed') await endLeft()
  }
  recorder.onRecorded((recorded) => {
    if (recorded.request !== undefined) gate.desk.wake([recorded.request])
    void follow(recorded.type).catch(() => undefined)
  })
  shared.onEnded(() => {
    void gate.plans.stopInterrupted().catch(() => undefined) // the next sweep does
    // An epoch that the dead one recorded is put in force by whoever gets its turn.
    void gate.store.alone('epoch', async () => undefined).catch(() => undefined)
    void following.resume().catch(() => undefined)
  })
}
