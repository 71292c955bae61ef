import { expect, test } from 'vitest'
import { CLOCK_BACK_MS_MAX, EntryRules } from './entry-rules.ts'
import { SeenIds } from './seen-ids.ts'

type Members = Record<string, unknown>
type Story = [Members, Members, Members, Members, Members]

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()
const session = { type: 'session-opened', session: 's-1', operator: 'alice' }
const facts = { session: 's-1', operator: 'alice', digest: 'd-1' }
const asked = { type: 'request-opened', request: 'r-1', document: 'h-1', ...facts }
const signed = (statement: Members) => ({ act: { statement: JSON.stringify(statement) } })
const shown = signed({ digest: 'd-1', shown: 'h-1' })
const review = { type: 'review', request: 'r-1', reviewer: 'bob', verdict: 'approve', ...shown }
const made = { type: 'grant-made', grant: 'g-1', request: 'r-1', digest: 'd-1', reviewers: ['bob'] }
const ready = { ...made, expiresAt: at(600) }
const intent = { type: 'intent', effect: 'e-1', request: 'r-1', grant: 'g-1', ...facts }
const begun = { ...intent, signature: 'x-1', policies: ['p'], observed: null }
const done = { type: 'outcome', effect: 'e-1', outcome: { result: 'accepted' } }
const confirmed = { ...done, outcome: { result: 'confirmed' } }
const WHOLE: readonly Members[] = [
  session,
  { ...asked, requirement: ['any:1'] },
  review,
  ready,
  begun,
  done,
  confirmed,
]

/** What is said of each entry; one second lies between two. */
function said(entries: readonly Members[]): (string | null)[] {
  const rules = new EntryRules()
  return entries.map((entry, second) => rules.take({ at: at(second), ...entry }))
}

/** The whole story with entry `index` replaced. */
function changed(index: number, change: Members): (string | null)[] {
  return said(WHOLE.map((entry, each) => (each === index ? { ...entry, ...change } : entry)))
}

const without = (index: number) => said(WHOLE.filter((_, each) => each !== index))

test('an effect with its session, request, review, grant, intent, outcome and end fits', () => {
  expect(said(WHOLE)).toEqual(WHOLE.map(() => null))
})

test('each entry that is left out is missed by the one that needs it', () => {
  expect(without(0)).toContain('its session was never opened')
  expect(without(1)).toContain('its request was never opened')
  expect(without(2)).toContain('one of its reviewers never approved the request')
  expect(without(3)).toContain('its grant was never made, was used before, or had ended')
  expect(without(4)).toContain('its effect has no intent, or had its outcome before')
  expect(without(5)).toContain('what it confirms was never accepted')
})

test('after a restore no approval, request or session of before it counts', () => {
  const restored = { type: 'gate-restored', backupAt: at(0), backupSize: 4, ledger: 'kept' }
  const after = (index: number) => said([...WHOLE.slice(0, index), restored, ...WHOLE.slice(index)])
  const ended = 'its grant was never made, was used before, or had ended'
  expect(after(3)[5]).toBe('its session was never opened')
  expect(said([...WHOLE.slice(0, 4), restored, session, begun]).at(-1)).toBe(ended)
  expect(said([...WHOLE.slice(0, 3), restored, session, ready, begun]).at(-1)).toBe(ended)
  // What was begun before it may have its outcome after it.
  expect(after(5)).toEqual([...WHOLE, restored].map(() => null))
})

test('each entry that says something else than the one before it is named', () => {
  const cases: [index: number, change: Members, words: string][] = [
    [1, { operator: 'mallory' }, 'its operator did not open its session'],
    [2, { reviewer: 'alice' }, 'the operator reviewed for their own agent'],
    [2, signed({ digest: 'd-2', shown: 'h-1' }), 'another digest'],
    [2, signed({ digest: 'd-1', shown: 'h-2' }), 'another document'],
    [2, { verdict: 'deny' }, 'never approved the request'],
    [3, { digest: 'd-2' }, 'for another digest'],
    [3, { reviewers: ['alice', 'bob'] }, 'the operator is among its reviewers'],
    [3, { reviewers: [] }, 'fewer reviewers than were asked for'],
    [3, { expiresAt: at(-60) }, 'its grant had expired'],
    [4, { digest: 'd-2' }, 'it is not what was reviewed'],
    [4, { request: 'r-2' }, 'its grant was never made'],
    [4, { grant: null }, 'it names a request and no grant'],
    [4, { grant: null, request: null, policies: [] }, 'nothing permitted it'],
    [4, { breakGlass: 'b-1' }, 'its break-glass was never opened'],
  ]
  for (const [index, change, words] of cases) {
    expect(changed(index, change)).toContainEqual(expect.stringContaining(words))
  }
  for (const requirement of [['sre:2', 'any:2'], ['dba:1', 'sre:1'], ['any:2']]) {
    expect(changed(1, { requirement })[3], requirement.join()).toContain('fewer reviewers')
  }
  expect(changed(1, { digest: undefined })[1]).toContain('does not say of what')
  expect(changed(1, { document: undefined })[1]).toContain('does not say of what')
  expect(changed(3, { expiresAt: 'soon' })[3]).toContain('does not say when')
  const step = { plan: { plan: 'r-1', step: 1 } }
  expect(changed(4, step)[4]).toContain('under the grant of one call')
  expect(changed(3, { type: 'plan-approved' })[4]).toContain('none of them')
})

test('nothing is used twice: a grant, an effect, the signature of a call, an outcome', () => {
  const again = { ...begun, effect: 'e-2', signature: 'x-2' }
  expect(said([...WHOLE, again]).at(-1)).toContain('was used before')
  expect(said([...WHOLE, begun]).at(-1)).toBe('its effect was begun before')
  const permitted = { ...again, grant: null, request: null }
  expect(said([...WHOLE, permitted]).at(-1)).toBeNull()
  expect(said([...WHOLE, { ...permitted, signature: 'x-1' }]).at(-1)).toContain('used before')
  expect(said([...WHOLE, done]).at(-1)).toContain('had its outcome before')
})

test('a request has one use, whatever grants are made of it; a second way after an escalation may take fewer', () => {
  const more = [
    { ...ready, grant: 'g-2' },
    { ...begun, effect: 'e-2', grant: 'g-2', signature: 'x-2' },
  ]
  const [opened, request, reviewed, grant, act] = WHOLE.slice(0, 5) as Story
  expect(
    said([opened, request, reviewed, grant, more[0] as Members, act, more[1] as Members]).at(-1),
  ).toBe('its request was used before, by another grant')
  const escalated = { type: 'request-escalated', request: 'r-1', alternative: ['security:1'] }
  const two = { ...request, requirement: ['sre:2'] }
  expect(said([opened, two, reviewed, grant])[3]).toContain('fewer reviewers')
  expect(said([opened, two, escalated, reviewed, grant])[4]).toBeNull()
})

test('a break-glass covers what it names, and its operator does not look at it afterwards', () => {
  const named = { effects: ['destroy'], resources: ['arn:a'] }
  const opened = {
    type: 'break-glass-opened',
    breakGlass: 'b-1',
    ...facts,
    ...named,
    effectsMax: 2,
  }
  const glass = { ...opened, until: at(600) }
  const under = { ...begun, grant: null, request: null, breakGlass: 'b-1', ...named }
  expect(said([session, glass, under])).toEqual([null, null, null])
  const cases: [Members, Members, string][] = [
    [{}, { resources: ['arn:b'] }, 'was not for this'],
    [{}, { effects: ['destroy', 'permissions'] }, 'was not for this'],
    [{ until: 'later' }, {}, 'never opened'],
    [{ effectsMax: 'many' }, {}, 'never opened'],
  ]
  for (const [wider, call, words] of cases) {
    expect(said([session, { ...glass, ...wider }, { ...under, ...call }]).at(-1)).toContain(words)
  }
  const looked = { type: 'break-glass-reviewed', breakGlass: 'b-1' }
  expect(said([session, glass, { ...looked, reviewer: 'alice' }]).at(-1)).toContain('their own')
  expect(said([session, glass, { ...looked, reviewer: 'bob' }]).at(-1)).toBeNull()
})

test('a grant that was made as its request ended, or was taken back, is good for nothing', () => {
  const [opened, request, reviewed, grant, act] = WHOLE.slice(0, 5) as Story
  for (const end of [
    { type: 'request-closed', request: 'r-1' },
    { ...review, reviewer: 'carol', verdict: 'deny' },
  ]) {
    expect(said([opened, request, reviewed, end, grant, act])).toEqual([
      ...Array.from({ length: 5 }, () => null),
      'its grant was never made, was used before, or had ended',
    ])
  }
  const revoked = { type: 'grant-revoked', grant: 'g-1', request: 'r-1' }
  expect(said([opened, request, reviewed, grant, revoked, act]).at(-1)).toContain('had ended')
})

test('M10 a clock that goes back is a finding; gateways may differ by seconds', () => {
  const rules = new EntryRules()
  expect(rules.take({ type: 'gate-started', at: at(100) })).toBeNull()
  const little = new Date(Date.parse(at(100)) - CLOCK_BACK_MS_MAX).toISOString()
  expect(rules.take({ type: 'gate-started', at: little })).toBeNull()
  const more = new Date(Date.parse(at(100)) - CLOCK_BACK_MS_MAX - 1).toISOString()
  expect(rules.take({ type: 'gate-started', at: more })).toBe('the clock went back before it')
  expect(rules.take({ type: 'gate-started' })).toBe('it says no time')
})

test('an id that was seen is always known again, among a million', () => {
  const seen = new SeenIds()
  const count = 1_000_000
  let taken = 0
  for (let index = 0; index < count; index++) if (!seen.add(`e-${index}`)) taken += 1
  expect(taken).toBe(0)
  for (let index = 0; index < count; index += 997) expect(seen.add(`e-${index}`)).toBe(false)
  expect(seen.add('')).toBe(true)
  expect(seen.add('')).toBe(false)
})

test('H17 nothing passes while a session or its parent is suspended, nor after it was closed', () => {
  const child = { type: 'child-session-opened', session: 's-2', operator: 'alice', parent: 's-1' }
  const suspended = { type: 'session-suspended', session: 's-1', operator: 'alice' }
  const resumed = { type: 'session-resumed', session: 's-1', operator: 'alice' }
  const closed = { type: 'session-closed', session: 's-1' }
  const read = { type: 'read', ...facts }
  const passed = { ...begun, request: null, grant: null }
  const last = (...entries: readonly Members[]) => said(entries).at(-1)
  const late = { at: at(60) }
  expect(last(session, suspended, read)).toBe(null) // on its way
  expect(last(session, suspended, { ...read, ...late })).toBe('its session was suspended before')
  expect(last(session, suspended, { ...passed, ...late })).toBe('its session was suspended before')
  const ofChild = { ...passed, ...late, session: 's-2' }
  expect(last(session, child, suspended, ofChild)).toBe('its session was suspended before')
  expect(last(session, suspended, { ...resumed, ...late }, { ...passed, at: at(90) })).toBe(null)
  expect(last(session, closed, { ...passed, ...late })).toBe('its session was closed before')
  expect(last(session, closed, resumed)).toBe('its session was closed before')
  expect(last(session, { ...resumed, operator: 'mallory' })).toBe(
    'its operator did not open its session',
  )
  expect(last(resumed)).toBe('its session was never opened')
})

test('a session that was suspended and then closed is closed: it is not resumed', () => {
  const suspended = { type: 'session-suspended', session: 's-1', operator: 'alice' }
  const closed = { ...suspended, type: 'session-closed' }
  const resumed = { ...suspended, type: 'session-resumed' }
  expect(said([session, suspended, closed, resumed]).at(-1)).toBe('its session was closed before')
})

test('a count of people that is no number is named, and lets no grant pass', () => {
  for (const requirement of [
    ['any:x'],
    ['any:'],
    ['any'],
    ['sre:1e9'],
    ['sre:-1'],
    ['sre:1', 'dba:NaN'],
  ]) {
    expect(changed(1, { requirement })[1], requirement.join()).toBe(
      'it does not say how many must approve',
    )
  }
  const escalated = { type: 'request-escalated', request: 'r-1', alternative: ['any:x'] }
  const story = [...WHOLE.slice(0, 2), escalated]
  expect(said(story).at(-1)).toBe('it does not say how many must approve')
})

test('C1 whoever sent the task is no reviewer: of a request, a grant, a child or a broken glass', () => {
  const sent = { ...session, instigators: ['carol'] }
  const child = { type: 'child-session-opened', session: 's-2', operator: 'alice', parent: 's-1' }
  const opened = { ...asked, requirement: ['any:1'] }
  const byCarol = { ...review, reviewer: 'carol' }
  const last = (...entries: readonly Members[]) => said(entries).at(-1)
  expect(last(sent, opened, review)).toBe(null)
  expect(last(sent, opened, byCarol)).toBe('whoever sent the task reviewed it')
  expect(last(sent, child, { ...opened, session: 's-2' }, byCarol)).toBe(
    'whoever sent the task reviewed it',
  )
  expect(last(sent, opened, review, { ...ready, reviewers: ['bob', 'carol'] })).toBe(
    'whoever sent the task is among its reviewers',
  )
  const glass = { type: 'break-glass-opened', breakGlass: 'b-1', until: at(600), effectsMax: 1 }
  const looked = { type: 'break-glass-reviewed', breakGlass: 'b-1', reviewer: 'carol' }
  expect(last(sent, { ...glass, session: 's-1', operator: 'alice' }, looked)).toBe(
    'whoever sent the task looked at its break-glass',
  )
})

test('who may not review is not got round by a parent, by opening again, or by a child of somebody else', () => {
  const sent = { ...session, instigators: ['carol'] }
  const other = { ...session, session: 's-0' }
  const child = { type: 'child-session-opened', session: 's-2', operator: 'alice', parent: 's-1' }
  const last = (...entries: readonly Members[]) => said(entries).at(-1)
  expect(last(other, { ...sent, parent: 's-0' })).toBe(
    'a session that a person opened has no parent',
  )
  expect(last(other, sent, { ...child, session: 's-1', parent: 's-0' })).toBe(
    'its session was opened before',
  )
  expect(last(sent, session)).toBe('its session was opened before')
  expect(last(sent, { ...child, operator: 'bob' })).toBe('its operator is not that of its parent')
  expect(last(child)).toBe('the session that opened it was never opened')
  expect(last(sent, child)).toBe(null)
})
