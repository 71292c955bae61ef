// What each principal did in a trail: every distinct call with how often and when last, refusals left out.
// A call that AWS refused for another reason than rights used its right all the same.

import type { Meaning } from '@seconder/aws/describe-call'
import type { Who } from '../event/who.ts'
import type { KnownCall } from '../store/known-call.ts'
import { FLAG } from '../store/row.ts'
import type { TrailStore } from '../store/trail-store.ts'

export interface UsedCall {
  readonly meaning: Meaning
  readonly parametersKnown: boolean
  readonly count: number
  /** Seconds since 1970; 0 = no event of it tells the time. */
  readonly last: number
}

export interface PrincipalUse {
  readonly calls: readonly UsedCall[]
  readonly events: number
  readonly refused: number
  /** Events whose operation nobody knows, by `source name`: what they need cannot be said. */
  readonly unmapped: ReadonlyMap<string, number>
  /** By action in lower case. */
  readonly lastByAction: ReadonlyMap<string, LastUse>
}

export interface LastUse {
  /** In AWS's own writing. */
  readonly action: string
  /** Seconds since 1970; 0 = no event of it tells the time. */
  readonly last: number
}

export interface TrailUse {
  /** ISO days of the first and last event; null where no event tells the time. */
  readonly from: string | null
  readonly to: string | null
  readonly days: number
  readonly events: number
  readonly faults: number
  /** By ARN; a role that is only known by its session stands under its ARN without path. */
  readonly principals: ReadonlyMap<string, PrincipalUse>
}

interface Gathering {
  readonly counts: Map<number, { count: number; last: number }>
  events: number
  refused: number
}

export function trailUse(store: TrailStore): TrailUse {
  const names = store.whos.map((text) => (JSON.parse(text) as Who).principal)
  const gathered = new Map<string, Gathering>()
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const slice of store.slices) {
    const { count, times, calls, whos, flags } = slice()
    for (let index = 0; index < count; index++) {
      const time = times[index] as number
      if (time > 0) {
        first = Math.min(first, time)
        last = Math.max(last, time)
      }
      add(
        gathered,
        names[whos[index] as number] ?? 'unknown',
        calls[index] as number,
        time,
        flags[index] as number,
      )
    }
  }
  const known = (number: number) => JSON.parse(store.calls[number] ?? '{}') as KnownCall
  return {
    from: last === 0 ? null : dayOf(first),
    to: last === 0 ? null : dayOf(last),
    days: last === 0 ? 0 : Math.floor((last - first) / 86_400) + 1,
    events: store.facts.unique,
    faults: store.facts.faults.length + store.facts.moreFaults,
    principals: new Map([...gathered].map(([arn, found]) => [arn, useOf(found, known)])),
  }
}

function add(
  gathered: Map<string, Gathering>,
  arn: string,
  call: number,
  time: number,
  flags: number,
): void {
  let found = gathered.get(arn)
  if (found === undefined) {
    found = { counts: new Map(), events: 0, refused: 0 }
    gathered.set(arn, found)
  }
  found.events++
  if ((flags & FLAG.refused) !== 0) {
    found.refused++
    return
  }
  const before = found.counts.get(call)
  if (before) {
    before.count++
    before.last = Math.max(before.last, time)
  } else found.counts.set(call, { count: 1, last: time })
}

function useOf(found: Gathering, known: (call: number) => KnownCall): PrincipalUse {
  const calls: UsedCall[] = []
  const unmapped = new Map<string, number>()
  const lastByAction = new Map<string, LastUse>()
  for (const [number, { count, last }] of found.counts) {
    const call = known(number)
    if (call.is === 'unmapped') {
      const name = `${call.source} ${call.name}`
      unmapped.set(name, (unmapped.get(name) ?? 0) + count)
    }
    if (call.is !== 'call') continue
    const { meaning, parametersKnown } = call
    calls.push({ meaning, parametersKnown, count, last })
    for (const action of actionsOf(meaning)) {
      const key = action.toLowerCase()
      lastByAction.set(key, { action, last: Math.max(lastByAction.get(key)?.last ?? 0, last) })
    }
  }
  return { calls, unmapped, lastByAction, events: found.events, refused: found.refused }
}

/** What the caller itself needs: what others do for it they do by rights of their own. */
export function actionsOf({ ownActions, iamActions }: Meaning): readonly string[] {
  return ownActions ?? iamActions
}

export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}

/** Use of a principal by its ARN, also where the trail knows the role by its session alone. */
export function useOfPrincipal({ principals }: TrailUse, arn: string): PrincipalUse | undefined {
  return principals.get(arn) ?? principals.get(arn.replace(/:role\/.*\//, ':role/'))
}
