// The chain of one harmful event, as far as a trail tells: who is behind it, what asked, what let it, and what
// nothing in a trail can say.

import { effectsOf, operationOf, type TrailEvent, thingsOf } from '../trail/window.ts'
import type { Evidence, Factor, Link, LinkName } from './incident.ts'
import { count, listed, moment, named, shown, thing } from './words.ts'

/** What one session did in the window. */
export interface SessionUse {
  readonly events: number
  readonly operations: readonly string[]
}

export interface TrailAsk {
  readonly event: TrailEvent
  /** What AWS services did afterwards under the same rights, until the next harmful call. */
  readonly followed: readonly TrailEvent[]
  readonly madeAgain: TrailEvent | null
  readonly use: SessionUse
}

/** Sessions that a gate of Seconder opens, by the form of their name. */
const GATE_SESSION = /\/(s-[0-7][0-9a-hjkmnp-tv-z]{25})-[0-9a-z-]+$/

export function evidenceOf({ id, at }: TrailEvent): Evidence {
  return { source: 'trail', entry: null, id, at }
}

export function gateSessionOf({ who }: TrailEvent): string | null {
  return GATE_SESSION.exec(who.session)?.[1] ?? null
}

export function roleWords({ who }: TrailEvent): string {
  return named(who.principal.split('/').at(-1) ?? who.principal)
}

export function trailLinks({ event, followed, use }: TrailAsk): Link[] {
  const { who, userAgent, agent, address } = event
  const evidence = [evidenceOf(event)]
  const link = (name: LinkName, says: string, known = true): Link => {
    return { link: name, says, known, evidence: known ? evidence : [] }
  }
  const gate = gateSessionOf(event)
  const through =
    gate === null ? null : `its session is one of a gate (${named(gate)}): that gate's ledger tells`
  const operator =
    who.sourceIdentity === ''
      ? link('operator', 'nobody vouched for a person behind this session', false)
      : link('operator', `${named(who.sourceIdentity)}, by the source identity of the session`)
  const refused = event.errorCode !== ''
  return [
    operator,
    link(
      'agent',
      `${named(agent)}, as the client calls itself: “${shown(userAgent) || 'nothing'}”, from ${shown(address) || 'no address'}`,
    ),
    link(
      'session',
      `${named(who.session)}: ${count(use.events, 'event')} of ${count(use.operations.length, 'operation')} in this window`,
    ),
    link(
      'role',
      `${named(who.principal)}: ${refused ? 'AWS refused this call' : 'AWS let this call through'}; used here: ${listed(
        use.operations.map((one) => shown(one)),
        8,
      )}`,
    ),
    link('policy', through ?? 'no policy of a gate was asked', false),
    link('request', through ?? 'none', false),
    link('review', through ?? 'the trail names no second person', false),
    link(
      'call',
      `${named(operationOf(event))} on ${listed(
        thingsOf(event).map((arn) => named(arn)),
        4,
      )}, ${moment(event.at)}, in ${shown(event.region)}`,
    ),
    outcomeLink(event, followed, evidence),
  ]
}

function outcomeLink(
  event: TrailEvent,
  followed: readonly TrailEvent[],
  own: readonly Evidence[],
): Link {
  if (event.errorCode !== '') {
    const says = `AWS refused it: ${shown(event.errorCode)}`
    return { link: 'outcome', says, known: true, evidence: own }
  }
  const deeds = followed.map(deedWords)
  const did = deeds.length === 0 ? '' : `; afterwards, under the same rights: ${listed(deeds, 8)}`
  const evidence = [...own, ...followed.map(evidenceOf)]
  return { link: 'outcome', says: `AWS took it on${did}`, known: true, evidence }
}

export function deedWords(event: TrailEvent): string {
  const by = event.who.service === '' ? '' : ` by ${shown(event.who.service)}`
  const failed = event.errorCode === '' ? '' : ` (refused: ${shown(event.errorCode)})`
  const things = thingsOf(event).map((arn) => named(thing(arn)))
  return `${named(operationOf(event))} on ${listed(things, 3)}${by}${failed}`
}

/** What a harmful deed of a service took, in words; null for one that took nothing. */
export function takenBy(event: TrailEvent): string | null {
  if (event.errorCode !== '' || !effectsOf(event).includes('destroy')) return null
  const [first = ''] = thingsOf(event)
  const words = thing(first)
  const at = words.indexOf(' ')
  return at < 0 ? named(words) : `${words.slice(0, at)} ${named(words.slice(at + 1))}`
}

type Bare = Omit<Factor, 'chains'>

export function trailFactors({ event, followed, use }: TrailAsk): Bare[] {
  const evidence = [evidenceOf(event)]
  const refused = event.errorCode !== ''
  const bare = (
    factor: Factor['factor'],
    did: Factor['did'],
    says: string,
    brief: string = says,
  ): Bare => {
    return { factor, did, says, brief, evidence }
  }
  if (refused) {
    return [
      bare('role', 'held', `AWS refused it to ${roleWords(event)}: ${shown(event.errorCode)}`),
    ]
  }
  const others = use.operations.filter((operation) => operation !== operationOf(event))
  const beside =
    others.length === 0
      ? ''
      : `; the rest of its work was ${listed(others.map((one) => shown(one)))}`
  const factors = [
    bare(
      'role',
      'let',
      `the role ${roleWords(event)} allowed it: its keys were enough, and AWS refused nothing${beside}`,
      `the keys of the role ${roleWords(event)} were enough for it`,
    ),
  ]
  const gate = gateSessionOf(event)
  if (gate === null) {
    factors.push(
      bare(
        'policy',
        'let',
        'no policy covered it: no gate stood between these keys and AWS',
        'no gate stood between them and AWS',
      ),
      bare(
        'review',
        'let',
        'the trail names no second person, before or after',
        'the trail names no second person',
      ),
    )
  } else {
    factors.push(
      bare(
        'gate',
        'let',
        `it went through a gate as session ${named(gate)}: whether it was reviewed stands in that gate's ledger`,
      ),
    )
  }
  const taken = followed.map(takenBy).filter((words) => words !== null)
  if (taken.length > 0) {
    factors.push({
      factor: 'safeguard',
      did: 'let',
      says: `nothing held back ${listed(taken, 8)}: it went with it, and the trail has no refusal of a protection or a retention`,
      brief: 'nothing held back what was deleted in it',
      evidence: [...evidence, ...followed.map(evidenceOf)],
    })
  }
  return factors
}
