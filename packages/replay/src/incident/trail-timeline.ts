// The timeline of the sessions that a trail's chains name: looks folded, every change a line with its event.

import { isLook } from '../store/known-call.ts'
import { effectsOf, operationOf, type TrailEvent } from '../trail/window.ts'
import type { Moment } from './incident.ts'
import { deedWords, evidenceOf, roleWords } from './trail-links.ts'
import { count, listed, shown } from './words.ts'

export function trailTimeline(
  events: readonly TrailEvent[],
  sessions: ReadonlySet<string>,
): Moment[] {
  const moments: Moment[] = []
  let looks: TrailEvent[] = []
  const told = new Set<string>()
  /** Looks that repeat what was told already say nothing new: an agent that waits looks again and again. */
  const fold = (): void => {
    const [first] = looks
    const isNew = looks.some((event) => !told.has(`${event.who.session} ${operationOf(event)}`))
    if (first !== undefined && isNew) moments.push(looksMoment(first, looks))
    for (const event of looks) told.add(`${event.who.session} ${operationOf(event)}`)
    looks = []
  }
  for (const event of events) {
    if (!sessions.has(event.who.session)) continue
    if (isLook(effectsOf(event))) {
      if (looks[0] !== undefined && looks[0].who.session !== event.who.session) fold()
      looks.push(event)
      continue
    }
    fold()
    const who = event.who.service === '' ? `role ${roleWords(event)}` : shown(event.who.service)
    const says = deedWords(event).replace(` by ${who}`, '')
    moments.push({ at: event.at, who, says, quote: null, evidence: [evidenceOf(event)] })
  }
  fold()
  return moments
}

function looksMoment(first: TrailEvent, looks: readonly TrailEvent[]): Moment {
  const last = looks.at(-1) ?? first
  const names = listed(
    looks.map((event) => shown(operationOf(event))),
    8,
  )
  return {
    at: first.at,
    who: first.who.service === '' ? `role ${roleWords(first)}` : shown(first.who.service),
    says: `looks ${count(looks.length, 'time')}: ${names}`,
    quote: null,
    evidence: looks.length === 1 ? [evidenceOf(first)] : [evidenceOf(first), evidenceOf(last)],
  }
}
