// The forms of entries and payloads, as far as reports read them. A ledger that does not verify can hold anything:
// what has not its form is counted as unreadable, and never taken for what it says it is.

import type { EpochContent } from '@seconder/gateway/epoch/content'
import type { Outcome } from '@seconder/gateway/execute/outcome'
import type { Entry } from '@seconder/gateway/record/entry'
import type { AnyDocument } from '@seconder/gateway/review/plan-document'
import { z } from 'zod'

const text = z.string()
const texts = z.array(z.string())
const maybe = z.string().nullable()
const act = z.looseObject({ statement: text })

const call = {
  session: text,
  operator: text,
  agent: text,
  role: text,
  operation: text,
  resources: texts,
  environments: texts,
  effects: texts,
  digest: text,
  epoch: z.number(),
  policies: texts,
}
const opened = { ...call, request: text, requirement: texts, document: text, expiresAt: text }
const granted = { grant: text, request: text, reviewers: texts, expiresAt: text }

/** Each kind of outcome: a new one must have its form here. */
const OUTCOMES: Readonly<Record<Outcome['result'], z.ZodType>> = {
  succeeded: z.looseObject({ status: z.number(), upstreamRequestId: maybe }),
  accepted: z.looseObject({ status: z.number(), upstreamRequestId: maybe }),
  partial: z.looseObject({ failedCount: z.number(), upstreamRequestId: maybe }),
  failed: z.looseObject({ errorCode: text, upstreamRequestId: maybe }),
  confirmed: z.looseObject({ confirmed: text, detail: text }),
  unknown: z.looseObject({ detail: text }),
  withheld: z.looseObject({ detail: text }),
}

const outcome = z.looseObject({ result: text }).refine((value) => {
  if (!Object.hasOwn(OUTCOMES, value.result)) return false
  return OUTCOMES[value.result as Outcome['result']].safeParse(value).success
})

/** Members that a report reads, by type; an entry of another type is told of nowhere. */
const ENTRIES: Readonly<Partial<Record<Entry['type'], z.ZodType>>> = {
  'gate-created': z.looseObject({ people: z.array(z.looseObject({})) }),
  'epoch-activated': z.looseObject({
    epoch: z.number(),
    version: text,
    content: text,
    acts: z.array(z.unknown()),
  }),
  'gate-started': z.looseObject({ epoch: z.number(), refusing: maybe }),
  'gate-restored': z.looseObject({ backupAt: text, backupSize: z.number(), ledger: text }),
  'people-changed': z.looseObject({
    change: z.looseObject({
      kind: text,
      person: text,
      teams: texts.optional(),
      team: text.optional(),
    }),
  }),
  'session-opened': z.looseObject({
    session: text,
    operator: text,
    agent: text,
    role: text,
    task: text.optional(),
    instigators: texts.optional(),
  }),
  'child-session-opened': z.looseObject({
    session: text,
    parent: text,
    operator: text,
    agent: text,
    role: text,
  }),
  'session-closed': z.looseObject({ session: text }),
  'session-suspended': z.looseObject({ session: text, from: text }),
  'session-resumed': z.looseObject({ session: text, operator: text }),
  unverified: z.looseObject({ code: text }),
  refused: z.looseObject({ session: text, code: text, operation: maybe }),
  denied: z.looseObject({ ...call, code: text }),
  read: z.looseObject(call),
  'request-opened': z.looseObject(opened),
  'plan-opened': z.looseObject({ ...opened, steps: z.array(z.unknown()) }),
  'break-glass-opened': z.looseObject({
    breakGlass: text,
    session: text,
    operator: text,
    effects: texts,
    until: text,
    act,
  }),
  'break-glass-reviewed': z.looseObject({ breakGlass: text, session: text, reviewer: text }),
  'plan-stopped': z.looseObject({ session: text, step: z.number().nullable(), why: text }),
  'request-closed': z.looseObject({ request: text, state: text, by: maybe }),
  review: z.looseObject({ request: text, reviewer: text, verdict: text, strength: text, act }),
  'grant-made': z.looseObject(granted),
  'plan-approved': z.looseObject(granted),
  'grant-revoked': z.looseObject({ grant: text, request: text, why: text }),
  'grant-expired': z.looseObject({ grant: text, request: text }),
  'request-cancelled': z.looseObject({ request: text, by: text }),
  'request-escalated': z.looseObject({ request: text, team: text }),
  intent: z.looseObject({
    ...call,
    effect: text,
    request: maybe,
    grant: maybe,
    observed: maybe,
    breakGlass: text.optional(),
    plan: z.looseObject({ plan: text, step: z.number() }).optional(),
  }),
  outcome: z.looseObject({ effect: text, outcome }),
  redacted: z.looseObject({ payload: text, reason: text, by: texts }),
  'retention-ended': z.looseObject({ payloads: texts, epoch: z.number(), days: z.number() }),
}

/** An entry; `other` for one that no report reads; null for what has not the form of its type. */
export function entryOf(line: string): Entry | 'other' | null {
  const value = parsed(line)
  const frame = z.looseObject({ type: text, at: text }).safeParse(value)
  if (!frame.success) return null
  const { type } = frame.data
  const form = Object.hasOwn(ENTRIES, type) ? ENTRIES[type as Entry['type']] : undefined
  if (form === undefined) return 'other'
  return form.safeParse(value).success ? (value as Entry) : null
}

const context = z.looseObject({
  agent: text,
  operator: text,
  role: text,
  isolation: text,
  breakGlass: z.boolean(),
})

const part = {
  action: z.looseObject({
    operation: text,
    service: text,
    account: text,
    region: text,
    door: text,
    effects: texts,
    iamActions: texts,
    reveals: text,
    recoverable: text,
    resources: z.array(
      z.looseObject({
        arn: text,
        type: text,
        account: text,
        region: text,
        environment: text,
        resolved: z.boolean(),
      }),
    ),
  }),
  evidence: z.looseObject({
    findings: z.array(
      z.looseObject({ type: text, name: text, holds: maybe, lastBackup: maybe, undo: text }),
    ),
    couldNotLook: texts,
    addedEffects: texts,
  }),
  context,
}

const frame = {
  summary: text,
  reason: text,
  agentSays: maybe,
  roleArn: text,
  context,
  denied: z.array(z.unknown()).optional(),
}

const DOCUMENT = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('seconder-review-document@v1'), ...frame, ...part }),
  z.looseObject({
    type: z.literal('seconder-plan-document@v1'),
    ...frame,
    steps: z.array(z.looseObject({ number: z.number(), ...part })),
  }),
])

/** What reviewers were shown; null for what is no such document. */
export function documentOf(payload: string): AnyDocument | null {
  const value = parsed(payload)
  return DOCUMENT.safeParse(value).success ? (value as AnyDocument) : null
}

const EPOCH = z.looseObject({
  schema: text,
  policies: z.array(z.looseObject({ file: text, text })),
  roles: z.record(text, z.looseObject({ arn: text })),
  roleReach: z.record(text, z.looseObject({ environments: texts })).optional(),
})

/** What an epoch decides with; null for what is no such content. */
export function epochOf(payload: string): EpochContent | null {
  const value = parsed(payload)
  return EPOCH.safeParse(value).success ? (value as EpochContent) : null
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined // the verifier names what is no JSON
  }
}
