// Looks at how an operation ended that had answered before it happened: once, read-only, by its row. The
// noun here is what was seen; who looks when, and for how long, is not decided here.

import type { Json, JsonObject } from '@seconder/aws/call'
import type { Ending, Origin } from '@seconder/aws/ending'
import { hasPlace, objectsAt, textsAt } from './answer-member.ts'
import type { Look } from './look.ts'
import { readModel } from './model-look.ts'

/** Most texts of one list that the input of a follow-up takes over. */
export const MAX_FOLLOWED_NAMES = 100

export type SeenEnding =
  | { readonly seen: 'succeeded' | 'failed'; readonly state: string }
  /** Not at its end; `state` of AWS, or what could not be looked at. */
  | { readonly seen: 'not yet'; readonly state: string }

export interface EndingFacts {
  readonly parameters: JsonObject
  readonly binding: JsonObject
  readonly answer: JsonObject
}

/** The input of the read that tells the end; null where a member is not known. */
export function endingInput(ending: Ending, facts: EndingFacts): JsonObject | null {
  const entries = Object.entries(ending.input).map(([name, origin]) => {
    const isList = 'list' in origin
    const found = firstOf(isList ? origin.list : origin, facts)
    if (found === null || found.length > MAX_FOLLOWED_NAMES) return null
    const value: Json = isList || found.length > 1 || isPlural(name) ? found : (found[0] ?? null)
    return [name, value] as const
  })
  return entries.every((one) => one !== null) ? Object.fromEntries(entries) : null
}

/** `InstanceIds` takes a list, also of one. */
function isPlural(name: string): boolean {
  return name.endsWith('Ids')
}

function firstOf(origins: readonly Origin[], facts: EndingFacts): string[] | null {
  for (const origin of origins) {
    const path = origin.slice(1)
    if (origin.startsWith('=')) return [path]
    const from = { $: facts.parameters, '!': facts.answer, '#': facts.binding }[origin.charAt(0)]
    const texts = from === undefined ? [] : textsAt(from, path)
    // Route 53 names a change `/change/C1`, and takes `C1`.
    if (texts.length > 0) return texts.map((text) => text.replace(/^\/change\//, ''))
  }
  return null
}

export async function lookAtEnding(
  look: Look,
  region: string,
  ending: Ending,
  input: JsonObject,
): Promise<SeenEnding> {
  const looked = await readModel(look, region, ending.read, input, ending.absent)
  if (looked.found === 'unknown') return { seen: 'not yet', state: looked.why }
  if (looked.found === 'no') return { seen: ending.gone, state: 'gone' }
  if (!hasPlace(looked.value, ending.state)) return { seen: 'not yet', state: 'unreadable' }
  const states = textsAt(looked.value, ending.state).map(stateWord)
  const [failed] = states.filter((state) => ending.failed.includes(state))
  if (failed !== undefined) return { seen: 'failed', state: failed }
  if (states.length === 0 && isEmpty(ending, looked.value)) {
    return { seen: ending.gone, state: 'gone' }
  }
  const waits = ending.pending !== undefined && waiting(looked.value, ending.pending)
  const [state = 'unknown'] = states.filter((one) => !ending.done.includes(one)).concat(states)
  const done = states.length > 0 && states.every((one) => ending.done.includes(one))
  return {
    seen: done && !waits ? 'succeeded' : 'not yet',
    state: waits ? 'changes pending' : state,
  }
}

/** A state is a word of AWS; anything else is not repeated. */
function stateWord(text: string): string {
  return /^[A-Za-z0-9_ -]{1,60}$/.test(text) ? text : 'unreadable'
}

/** The list of things is there and empty, so that there is no such thing. */
function isEmpty(ending: Ending, answer: JsonObject): boolean {
  const [list = ''] = ending.state.split('.')
  return (
    ending.state.includes('.') &&
    objectsAt(answer, list).every((one) => Object.keys(one).length === 0)
  )
}

function waiting(answer: JsonObject, path: string): boolean {
  return objectsAt(answer, path).some((one) => Object.keys(one).length > 0)
}
