// Every least way through: the first is the one that the gate asks for, none holds another, and there is a limit.
import { expect, test } from 'vitest'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { decide } from './decide.ts'
import { CONTEXT, defaultSet, sampleAction, setOf } from './sample-request.ts'
import { WAYS_MAX, waysThrough } from './ways.ts'

/** Whoever is of any of these teams may let it through. */
const anyOf = (count: number) =>
  setOf(
    `@id("any-of") permit (principal, action, resource)
     when { context.approvedBy.containsAny([${Array.from({ length: count }, (_, at) => `"t${at}:1"`)}]) };`,
  )
const action = sampleAction()

test('what holds a way already found is no way of its own', async () => {
  const set = await setOf(
    `@id("one") permit (principal, action, resource) when { context.approvedBy.contains("sre:1") };
     @id("two") permit (principal, action, resource)
     when { context.approvedBy.containsAny(["dba:2"]) && context.approvedBy.contains("any:2") };`,
  )
  expect(waysThrough(action, NO_EVIDENCE, CONTEXT, set)).toEqual({
    ways: [['sre:1'], ['dba:2']],
    isCut: false,
  })
})

test('as many ways as the limit are found, and not one more, which is said', async () => {
  const at = waysThrough(action, NO_EVIDENCE, CONTEXT, await anyOf(WAYS_MAX))
  expect(at.ways).toHaveLength(WAYS_MAX)
  expect(at.isCut).toBe(false)
  const past = waysThrough(action, NO_EVIDENCE, CONTEXT, await anyOf(WAYS_MAX + 1))
  expect(past.ways).toEqual(at.ways)
  expect(past.isCut).toBe(true)
})

test('the first way is what the gate asks for; a deny and a credential have none', async () => {
  const set = await defaultSet()
  const decision = decide(action, NO_EVIDENCE, CONTEXT, set)
  const { ways } = waysThrough(action, NO_EVIDENCE, CONTEXT, set)
  expect(decision).toMatchObject({ answer: 'review', requirement: ways[0] })
  const near = { ...CONTEXT, isolation: 'none' as const }
  expect(waysThrough(action, NO_EVIDENCE, near, set).ways).toEqual([])
  const lent = sampleAction({ reveals: 'credential' })
  expect(waysThrough(lent, NO_EVIDENCE, CONTEXT, set).ways).toEqual([])
})
