// Makes the Evidence of every operation that has a row in the tables of kinds: the things that it names,
// each looked at, and what its parameters turn into a loss by the values that are there now.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { oneText, textsAt } from './answer-member.ts'
import { type KindLook, lookAtKind } from './described.ts'
import type { Finding } from './evidence.ts'
import type { Rule, Target, Touch } from './kind.ts'
import { type KindTouched, kindsTouchedBy, TOUCHING } from './kinds.ts'
import type { Look } from './look.ts'
import type { Part } from './part.ts'

/** Most things of one call that are looked at; AWS's own lists are shorter or as long. */
export const MAX_TARGETS = 100

interface Found {
  readonly target: Target
  readonly look: KindLook
}

export function isTouching(operation: string): boolean {
  return kindsTouchedBy(operation).length > 0
}

export function touchingOperations(): readonly string[] {
  return TOUCHING
}

export async function resolveTouched(action: Action, look: Look): Promise<Part> {
  const { parameters } = action
  const choices = kindsTouchedBy(action.operation)
  const chosen =
    choices.find(({ touch }) => namesOf(touch, parameters).length > 0) ??
    (choices[0] as KindTouched)
  const { kind, touch } = chosen
  const targets = targetsOf(touch, parameters)
  if (targets.length === 0 || targets.length > MAX_TARGETS) {
    const why = targets.length === 0 ? 'its parameters name none' : 'there are too many'
    look.missed(`could not read the ${kind.noun} that this would change: ${why}`)
    const binding = { things: { unread: why } }
    return { binding, findings: [], addedEffects: effectsOfFate(touch), before: null }
  }
  const found = await Promise.all(
    targets.map(async (target): Promise<Found> => {
      const seen = { row: touch, parameters }
      return { target, look: await lookAtKind(look, action, kind, target, touch.fate, seen) }
    }),
  )
  const before = beforeOf(touch, found)
  return {
    binding: { things: found.map((one) => identityWith(one, touch)) },
    findings: found.map((one) => withNotes(one.look, touch, parameters)),
    addedEffects: found.flatMap((one) => effectsOf(one.look, touch, parameters)),
    before,
    taggedProduction: found.some((one) => one.look.tagged),
  }
}

function namesOf(touch: Touch, parameters: JsonObject): string[] {
  for (const path of touch.name) {
    const names = textsAt(parameters, path)
    if (names.length > 0) return names
  }
  return []
}

function targetsOf(touch: Touch, parameters: JsonObject): Target[] {
  const { parent } = touch
  const place = parent === undefined ? null : oneText(parameters, parent.path)
  const inside = place ?? parent?.otherwise ?? null
  return [...new Set(namesOf(touch, parameters))].map((name) => ({ name, parent: inside }))
}

/** The settings of which the effects depend are bound with it. */
function identityWith({ look }: Found, touch: Touch): JsonObject {
  const { described } = look
  if (described === null || touch.rules === undefined) return look.identity
  const now = touch.rules.map((rule) => [rule.now, oneText(described, rule.now)] as const)
  return { ...look.identity, now: Object.fromEntries(now) }
}

function beforeOf(touch: Touch, found: readonly Found[]): JsonObject | null {
  const shown = found.flatMap(({ target, look }): Json[] => {
    const { described } = look
    if (described === null || touch.rules === undefined) return []
    const now = touch.rules.map((rule) => [rule.now, oneText(described, rule.now)] as const)
    return [{ name: target.name, settings: Object.fromEntries(now) }]
  })
  return shown.length === 0 ? null : { things: shown }
}

function effectsOfFate(touch: Touch): Effect[] {
  const worst: Effect[] = touch.fate === 'deleted' ? ['destroy'] : []
  // What cannot be looked at may be the loss that a rule would find.
  const rules = (touch.rules ?? []).map(({ effect }) => effect)
  return [...worst, ...rules, ...(touch.effect === undefined ? [] : [touch.effect])]
}

function effectsOf(look: KindLook, touch: Touch, parameters: JsonObject): Effect[] {
  if (look.state === 'absent') return []
  if (look.described === null) {
    const asked = (touch.rules ?? []).filter((rule) => oneText(parameters, rule.wants) !== null)
    return effectsOfFate({ ...touch, rules: asked })
  }
  const { described } = look
  const met = (touch.rules ?? []).filter((rule) => meets(rule, parameters, described))
  return effectsOfFate({ ...touch, rules: met })
}

/** Not a number where one belongs counts as met: what cannot be compared may be less. */
function meets(rule: Rule, parameters: JsonObject, described: JsonObject): boolean {
  const wanted = oneText(parameters, rule.wants)
  if (wanted === null) return false
  const now = oneText(described, rule.now)
  switch (rule.when) {
    case 'off':
      return wanted === 'false' && now !== 'false' && now !== null
    case 'zero':
      return Number(wanted) === 0 && now !== '0'
    case 'lower':
      if (now === null) return rule.unset === 'most' || !(Number(wanted) > 0)
      return !(Number(wanted) >= Number(now))
  }
}

function withNotes(look: KindLook, touch: Touch, parameters: JsonObject): Finding {
  const { finding, described } = look
  if (look.state === 'absent') return finding
  const said = (touch.notes ?? []).filter((note) => holds(note.when, parameters))
  const changes = (touch.rules ?? []).flatMap((rule) => changeInWords(rule, parameters, described))
  const notes = [...(finding.notes ?? []), ...said.map(({ says }) => says), ...changes]
  const destroys = effectsOf(look, touch, parameters).includes('destroy')
  const undo =
    said.find((note) => note.undo !== undefined)?.undo ??
    touch.undo ??
    (touch.fate === 'changed' && destroys ? 'no' : finding.undo)
  return { ...finding, undo, ...(notes.length === 0 ? {} : { notes }) }
}

function holds(
  when: { readonly path: string; readonly is: string | null } | undefined,
  parameters: JsonObject,
): boolean {
  if (when === undefined) return true
  const text = oneText(parameters, when.path)
  return when.is === 'present' ? text !== null : text === when.is
}

/** `days kept: 30 now, 1 after`. */
function changeInWords(rule: Rule, parameters: JsonObject, described: JsonObject | null): string[] {
  const wanted = oneText(parameters, rule.wants)
  if (wanted === null || described === null) return []
  const now = oneText(described, rule.now) ?? 'not set'
  return now === wanted ? [] : [`${rule.says}: ${now} now, ${wanted} after`]
}
