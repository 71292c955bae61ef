// The life of sessions, plans and the gate itself.
// Source: https://schema.ocsf.io/1.9.0/classes/authorize_session, https://schema.ocsf.io/1.9.0/classes/entity_management
import type { CallFacts, Entry } from '@seconder/gateway/record/entry'
import type { Known } from './ocsf.ts'
import { actorOf } from './ocsf-calls.ts'
import { CLASSES, type EventParts, type OcsfObject } from './ocsf-event.ts'

export const ENTITY = {
  create: [1, 'Create'],
  update: [3, 'Update'],
  delete: [4, 'Delete'],
  activate: [10, 'Activate'],
  deactivate: [11, 'Deactivate'],
} as const

type Who = Pick<CallFacts, 'session' | 'operator' | 'agent' | 'role'>

/** Entity Management of a thing that this gate keeps. */
export function managed(
  activity: keyof typeof ENTITY,
  entity: OcsfObject & { readonly type: string; readonly uid: string },
  parts: Partial<EventParts> & Pick<EventParts, 'message'>,
): EventParts {
  return {
    of: CLASSES.entityManagement,
    activity: ENTITY[activity],
    status: 'success',
    ...parts,
    more: { entity, ...parts.more },
  }
}

export function sessionParts(entry: Entry, { sessions }: Known): EventParts | null {
  switch (entry.type) {
    case 'session-opened':
      return opened(entry, {})
    case 'child-session-opened':
      return opened(entry, { parent: entry.parent, label: entry.label })
    case 'session-closed':
      return ofSession('deactivate', entry.session, sessions, {
        message: `session ${entry.session} was closed`,
      })
    case 'session-suspended':
      return ofSession('deactivate', entry.session, sessions, {
        message: `session ${entry.session} was suspended: its keys were used from elsewhere`,
        severity: 'high',
        unmapped: { from: entry.from, used: entry.used },
      })
    case 'session-resumed':
      return ofSession('activate', entry.session, sessions, {
        message: `session ${entry.session} has new keys, by ${entry.operator}`,
        unmapped: { expiresAt: entry.expiresAt },
      })
    case 'plan-recording':
      return managed(
        'create',
        { type: 'plan', uid: entry.plan },
        {
          message: `${entry.agent} begins to record a plan for ${entry.operator}`,
          correlation: entry.plan,
          more: actorOf({ ...entry, role: sessions.get(entry.session)?.role ?? 'unknown' }),
        },
      )
    case 'plan-stopped':
      return managed(
        'deactivate',
        { type: 'plan', uid: entry.plan },
        {
          message: `a plan was stopped${entry.step === null ? '' : ` at step ${entry.step}`}`,
          severity: 'low',
          correlation: entry.plan,
          unmapped: { session: entry.session, step: entry.step, why: entry.why },
        },
      )
    default:
      return gateParts(entry)
  }
}

function ofSession(
  activity: keyof typeof ENTITY,
  session: string,
  sessions: Known['sessions'],
  parts: Partial<EventParts> & Pick<EventParts, 'message'>,
): EventParts {
  const who = sessions.get(session)
  const more = who && { more: actorOf(who) }
  return managed(
    activity,
    { type: 'session', uid: session },
    { correlation: session, ...more, ...parts },
  )
}

function opened(
  entry: Who & { readonly expiresAt?: string },
  { parent, label }: { readonly parent?: string; readonly label?: string },
): EventParts {
  const { session, operator, role, agent } = entry
  const actor = actorOf(entry)
  return {
    of: CLASSES.authorizeSession,
    activity: [3, 'Assign Roles'],
    status: 'success',
    message: `a session of ${agent} with the role ${role} was opened for ${operator}`,
    correlation: session,
    more: {
      ...actor,
      delegation: { uid: session, ...(parent !== undefined && { parent_uid: parent }) },
      user: { name: operator, uid: operator },
      session: { uid: session, issuer: 'seconder' },
      iam_roles: [{ name: role }],
    },
    ...(label !== undefined && { unmapped: { label } }),
  }
}

function gateParts(entry: Entry): EventParts | null {
  switch (entry.type) {
    case 'gate-created':
      return managed(
        'create',
        { type: 'gate', uid: entry.ledgerKey },
        {
          message: 'the gate was made, and its ledger begins',
        },
      )
    case 'gate-started':
      return managed(
        'activate',
        { type: 'gate', uid: 'gate', version: String(entry.epoch) },
        {
          message:
            entry.refusing === null
              ? `the gate started under epoch ${entry.epoch}`
              : `the gate started and answers refusals only: ${entry.refusing}`,
          severity: entry.refusing === null ? 'informational' : 'medium',
        },
      )
    case 'gate-restored':
      return managed(
        'update',
        { type: 'gate', uid: 'gate' },
        {
          message: `the gate was restored from the back-up of ${entry.backupAt}`,
          severity: 'high',
          control: 'observed',
          unmapped: {
            backupSize: entry.backupSize,
            ledger: entry.ledger,
            sessions: entry.sessions,
            grants: entry.grants,
            requests: entry.requests,
          },
        },
      )
    case 'epoch-activated': {
      const { epoch, version } = entry
      return managed(
        'activate',
        { type: 'policy', uid: version, version: String(epoch) },
        {
          message: `policy epoch ${epoch} is in force`,
          severity: 'low',
          unmapped: { content: entry.content, signatures: entry.acts.length },
        },
      )
    }
    case 'relying-party':
      return managed(
        'update',
        { type: 'relying party', uid: entry.rpId },
        {
          message: `passkeys count for ${entry.rpId}`,
          unmapped: { origins: entry.origins },
        },
      )
    default:
      return null
  }
}
