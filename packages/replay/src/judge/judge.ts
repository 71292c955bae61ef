// Puts each distinct call of a trail to the gate's own describe and decide, once. What the trail does not
// tell is never an allow: it is wider, or counted with what could not be mapped.

import { decide } from '@seconder/gateway/decide/decide'
import type { DecideContext, Decision } from '@seconder/gateway/decide/decision'
import type { Action } from '@seconder/gateway/describe/action'
import { actionOf } from '@seconder/gateway/describe/describe'
import { PRODUCTION } from '@seconder/gateway/describe/environments'
import { NO_EVIDENCE } from '@seconder/gateway/resolve/evidence'
import type { Who } from '../event/who.ts'
import type { KnownCall } from '../store/known-call.ts'
import type { TrailStore } from '../store/trail-store.ts'
import type { Judgement } from './judgement.ts'
import { type Rules, readsNames, readsPrincipal } from './rules.ts'

/** No secret is in what a store keeps, so any key will do. */
const MASK_KEY = '00'.repeat(32)

export interface Judgements {
  /** Each distinct judgement once. */
  readonly list: readonly Judgement[]
  /** Place in `list` of what the gate answers to a call of somebody. */
  readonly of: (call: number, who: number) => number
  /** Calls that were decided, one by one. */
  readonly decided: () => number
}

export function judge(store: TrailStore, whos: readonly Who[], rules: Rules): Judgements {
  const list: Judgement[] = []
  const places = new Map<string, number>()
  let decided = 0
  const placeOf = (call: number, who: Who | undefined): number => {
    decided++
    const judgement = judgementOf(store.calls[call] as string, who, rules)
    const text = JSON.stringify(judgement)
    const known = places.get(text)
    if (known !== undefined) return known
    places.set(text, list.length)
    return list.push(judgement) - 1
  }
  const likes = readsNames(rules) ? null : store.likes
  const count = () => decided
  if (!readsPrincipal(rules)) {
    const found = new Int32Array(store.calls.length).fill(-1)
    const of = (call: number): number => {
      const like = likes === null ? call : (likes[call] as number)
      if (found[like] === -1) found[like] = placeOf(like, undefined)
      return found[like] as number
    }
    return { list, of, decided: count }
  }
  const principals = numbersOf(whos.map((who) => `${who.principal}\n${who.sourceIdentity}`))
  const found = new Map<number, number>()
  const of = (call: number, who: number): number => {
    const like = likes === null ? call : (likes[call] as number)
    const key = like * whos.length + (principals[who] as number)
    let place = found.get(key)
    if (place === undefined) {
      place = placeOf(like, whos[who])
      found.set(key, place)
    }
    return place
  }
  return { list, of, decided: count }
}

function numbersOf(texts: readonly string[]): number[] {
  const numbers = new Map<string, number>()
  return texts.map((text) => {
    const known = numbers.get(text)
    if (known === undefined) numbers.set(text, numbers.size)
    return known ?? numbers.size - 1
  })
}

const NONE = {
  effect: '',
  environment: '',
  requirement: [],
  policies: [],
  code: '',
  reason: '',
  mayBeStricter: false,
  oddRegion: false,
} as const

export function judgementOf(text: string, who: Who | undefined, rules: Rules): Judgement {
  const known = JSON.parse(text) as KnownCall
  if (known.is !== 'call') {
    const operation = `${known.source} ${known.name}`
    const reason = known.is === 'unmapped' ? known.why : ''
    return { ...NONE, answer: known.is, operation, source: known.source, name: known.name, reason }
  }
  const action = actionOf(known.meaning, null, { ...rules.places, maskKey: MASK_KEY })
  const decision = decisionOn(action, who, rules)
  const facts = {
    ...NONE,
    operation: action.operation,
    source: known.meaning.service,
    name: known.meaning.operationName,
    effect: action.effects.at(-1) ?? 'unknown',
    environment: environmentOf(action),
    oddRegion: known.oddRegion === true,
  }
  if (decision.answer === 'allow' && !known.parametersKnown) {
    // The parameters could have said something that makes the gate ask or refuse.
    return { ...facts, answer: 'unmapped', reason: 'the trail does not tell the parameters' }
  }
  if (isLent(action, decision, rules)) {
    const reason = 'answered with a session of the gate itself under that role'
    return { ...facts, answer: 'allowed', reason, mayBeStricter: true }
  }
  return { ...facts, ...answerOf(decision, action) }
}

/** An AssumeRole of a role that the gate lends is answered with a child session, not with a credential. */
function isLent(
  { operation, resources }: Action,
  decision: Decision,
  { roleNames }: Rules,
): boolean {
  if (operation !== 'sts:AssumeRole' || decision.answer !== 'deny') return false
  return decision.code === 'credential_answer' && resources.every(({ arn }) => roleNames.has(arn))
}

function decisionOn(action: Action, who: Who | undefined, rules: Rules): Decision {
  const principal = who?.principal ?? ''
  const role = rules.roleNames.get(principal) ?? principal.split('/').at(-1) ?? ''
  const context: DecideContext = {
    agent: role,
    operator: who?.sourceIdentity || 'unknown',
    role,
    isolation: rules.isolation,
    breakGlass: false,
  }
  return decide(action, NO_EVIDENCE, context, rules.policySet)
}

function answerOf(decision: Decision, action: Action) {
  switch (decision.answer) {
    case 'allow':
      return {
        answer: 'allowed' as const,
        policies: decision.policies,
        mayBeStricter: looksUp(action),
      }
    case 'review': {
      const { requirement, policies, reason } = decision
      return { answer: 'reviewed' as const, requirement, policies, reason }
    }
    case 'deny': {
      const { code, policies } = decision
      // One reason for all that it holds for: the name of one thing would be that of the first only.
      const reason = decision.reason.replaceAll(/`(arn:[^`]*|\*)`/g, 'what it names')
      return { answer: 'denied' as const, code, policies, reason }
    }
  }
}

/** Changes that the gate looks into before it decides: what is inside, whose role would act. */
function looksUp(action: Action): boolean {
  const isLook = action.effects.every((effect) => effect === 'read' || effect === 'list')
  return (
    !isLook && (action.holder !== undefined || action.innerCalls !== undefined || !isWhole(action))
  )
}

function isWhole({ resources }: Action): boolean {
  return resources.every(({ resolved }) => resolved)
}

/** Production where any of it is; what is read of nothing in particular too. */
function environmentOf({ resources }: Action): string {
  const names = resources.map(({ environment }) => environment)
  return names.includes(PRODUCTION) ? PRODUCTION : (names[0] ?? PRODUCTION)
}
