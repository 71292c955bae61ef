import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { beforeAll, expect, test } from 'vitest'
import type { Action, Effect, Reveals } from '../describe/action.ts'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { decide } from './decide.ts'
import type { DecideContext, Decision } from './decision.ts'
import { answerTo, inquiryOf, NOBODY } from './inquiry.ts'
import { loadPolicySet, type PolicySet } from './policy-set.ts'
import {
  CONTEXT,
  defaultSet,
  folderSources,
  readText,
  sampleAction,
  TABLE,
} from './sample-request.ts'

let set: PolicySet
let lab: PolicySet

beforeAll(async () => {
  set = await defaultSet()
  lab = await loadPolicySet(folderSources('lab/policies'))
})

const ENVIRONMENTS = ['production', 'staging', 'development'] as const

/** What the issue asks of the default set: written out by hand, effect by effect. */
const EXPECTED: Record<Effect, readonly [production: string, staging: string, dev: string]> = {
  list: ['allow', 'allow', 'allow'],
  read: ['allow', 'allow', 'allow'],
  tag: ['any:1', 'allow', 'allow'],
  write: ['any:1', 'allow', 'allow'],
  stop: ['any:1', 'allow', 'allow'],
  replace: ['sre:1', 'any:1', 'allow'],
  permissions: ['any:2 sre:1', 'any:1', 'any:1'],
  opaque: ['sre:1', 'any:1', 'allow'],
  destroy: ['sre:1', 'any:1', 'allow'],
  unknown: ['sre:1', 'any:1', 'allow'],
}

test.each(EFFECTS_BY_STRICTNESS)('the default set answers `%s` as its table says', (effect) => {
  const answers = ENVIRONMENTS.map((environment) => short(ask({ effects: [effect] }, environment)))
  expect(answers).toEqual(EXPECTED[effect])
})

test.each(EFFECTS_BY_STRICTNESS)(
  'an environment without a policy is production for `%s`',
  (effect) => {
    const [production] = EXPECTED[effect]
    expect(short(ask({ effects: [effect] }, 'qa'))).toBe(production)
  },
)

test('every non-read in production is reviewed, whatever else is true of it', () => {
  const changes = EFFECTS_BY_STRICTNESS.filter((effect) => effect !== 'read' && effect !== 'list')
  for (const effect of changes) {
    for (const action of everyVariant(effect)) {
      for (const context of everyContext()) {
        const decision = decide(action, NO_EVIDENCE, context, set)
        expect(decision.answer, `${effect} ${JSON.stringify(context)}`).not.toBe('allow')
      }
    }
  }
})

test('an unknown effect in production is reviewed (H6)', () => {
  const decision = ask({ operation: 'newservice:DoThing', effects: ['unknown'] }, 'production')
  expect(decision).toMatchObject({ answer: 'review', requirement: ['sre:1'] })
})

test.each(ENVIRONMENTS)(
  'a credential is denied in %s, in policy as well as in code',
  (environment) => {
    const decision = ask({ effects: ['read'], reveals: 'credential' }, environment)
    expect(decision).toMatchObject({ answer: 'deny', code: 'credential_answer' })
    // The same question past the check in code: what the policies alone say.
    const resources = [{ ...TABLE, environment }]
    const action = sampleAction({ resources, effects: ['read'], reveals: 'credential' })
    const inquiry = inquiryOf(action, NO_EVIDENCE, CONTEXT, set)
    if (!('questions' in inquiry)) throw new Error(inquiry.reason)
    const answers = inquiry.questions.map((question) => answerTo(inquiry, question, NOBODY))
    expect(answers).toEqual([{ allowed: false, policies: ['credential-never'] }])
  },
)

test('a secret of production needs a second person, and one of staging does not', () => {
  const secret: Partial<Action> = { effects: ['read'], reveals: 'secret' }
  expect(short(ask(secret, 'production'))).toBe('any:1')
  expect(short(ask(secret, 'staging'))).toBe('allow')
})

test('an agent on the gate user may look at production and change nothing there', () => {
  const context: DecideContext = { ...CONTEXT, isolation: 'none' }
  const destroy = decide(sampleAction(), NO_EVIDENCE, context, set)
  expect(destroy).toMatchObject({ code: 'denied_by_policy', policies: ['isolation-none'] })
  const read = decide(sampleAction({ effects: ['read'] }), NO_EVIDENCE, context, set)
  expect(read.answer).toBe('allow')
})

/** The demo runs as one user, and its reviewer has a key file. */
const LEFT_OUT = new Set([
  'isolation-none',
  'approval-without-presence',
  'own-limbs-near',
  'own-limbs-without-presence',
])

test('the lab set is the default set without its rules on isolation and presence', () => {
  const context: DecideContext = { ...CONTEXT, isolation: 'none' }
  const destroy = decide(sampleAction(), NO_EVIDENCE, context, lab)
  expect(destroy).toMatchObject({ answer: 'review', requirement: ['sre:1'] })
  const ids = [...set.policies.keys()].filter((id) => !LEFT_OUT.has(id))
  expect([...lab.policies.keys()].sort()).toEqual(ids.sort())
  for (const id of ids) expect(lab.policies.get(id)?.text).toBe(set.policies.get(id)?.text)
  expect(readText('lab/policies/schema.cedarschema')).toBe(readText('policies/schema.cedarschema'))
})

test('every policy file of the lab says first that it is for the demo', () => {
  for (const { text } of folderSources('lab/policies').policies) {
    expect(text).toMatch(/^\/\/ FOR THE DEMO ONLY\./)
  }
})

test('L2: no policy approves a change of production by itself, but for what is invisible until its end', () => {
  const unreviewed = [...set.policies.values()].filter(
    ({ effect, seatCounts, reach }) =>
      effect === 'permit' &&
      seatCounts.length === 0 &&
      (reach.environment === null || reach.environment === 'production'),
  )
  const ids = unreviewed.map(({ id }) => id).sort()
  expect(ids).toEqual([
    'nonproduction-change',
    'nonproduction-look',
    'production-look',
    'production-staging',
  ])
})

test('the parts of a multipart upload pass; nothing else of it does, and nothing else by its name', () => {
  const steps = ['CreateMultipartUpload', 'UploadPart', 'UploadPartCopy', 'AbortMultipartUpload']
  for (const step of steps) {
    const operation = `s3:${step}`
    expect(short(ask({ operation, effects: ['write'] }, 'production')), step).toBe('allow')
    const others = EFFECTS_BY_STRICTNESS.filter((effect) => !/^(read|list|write)$/.test(effect))
    for (const effect of others) {
      const decision = ask({ operation, effects: ['write', effect] }, 'production')
      expect(decision.answer, `${step} ${effect}`).toBe('review')
    }
    const resources = [{ ...TABLE, environment: 'production', resolved: false }]
    const unproved = sampleAction({ operation, effects: ['write'], resources })
    expect(decide(unproved, NO_EVIDENCE, CONTEXT, set).answer, step).toBe('review')
  }
  const write = (operation: string) => ask({ operation, effects: ['write'] }, 'production').answer
  for (const operation of ['s3:CompleteMultipartUpload', 's3:PutObject', 'glacier:UploadPart']) {
    expect(write(operation), operation).toBe('review')
  }
})

function ask(changes: Partial<Action>, environment: string): Decision {
  const resources = [{ ...TABLE, environment }]
  return decide(sampleAction({ resources, ...changes }), NO_EVIDENCE, CONTEXT, set)
}

function short(decision: Decision): string {
  return decision.answer === 'review' ? decision.requirement.join(' ') : decision.answer
}

function everyVariant(effect: Effect): Action[] {
  const reveals: Reveals[] = ['nothing', 'data', 'secret', 'credential']
  const doors: Action['door'][] = ['aws', 'mcp', 'shell', 'plan']
  const recoverables: Action['recoverable'][] = ['yes', 'from-backup', 'no', 'unknown']
  return reveals.flatMap((shown) =>
    doors.map((door, index) => {
      const recoverable = recoverables[index] ?? 'unknown'
      return sampleAction({ effects: [effect], reveals: shown, door, recoverable })
    }),
  )
}

function everyContext(): DecideContext[] {
  const isolations: DecideContext['isolation'][] = ['host', 'user', 'sandbox', 'none']
  return isolations.flatMap((isolation) =>
    [true, false].map((breakGlass) => ({ ...CONTEXT, isolation, breakGlass })),
  )
}
