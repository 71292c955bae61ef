// People: who signed in, and who became whom.
// Source: https://schema.ocsf.io/1.9.0/classes/user_management, https://schema.ocsf.io/1.9.0/classes/authentication
import type { Entry } from '@seconder/gateway/record/entry'
import { CLASSES, type EventParts } from './ocsf-event.ts'
import { managed } from './ocsf-sessions.ts'

const USER = {
  'add-person': [1, 'Create'],
  'remove-person': [3, 'Delete'],
  'add-key': [18, 'Add Programmatic Credentials'],
  'remove-key': [19, 'Remove Programmatic Credentials'],
  'add-team': [2, 'Update'],
  'remove-team': [2, 'Update'],
  'add-identity': [2, 'Update'],
  'remove-identity': [2, 'Update'],
} as const

export function peopleParts(entry: Entry): EventParts | null {
  switch (entry.type) {
    case 'people-changed':
      return changed(entry.change, USER[entry.change.kind], {
        status: 'success',
        message: `${entry.change.kind} of ${entry.change.person} is in force`,
        unmapped: { kind: entry.change.kind, by: entry.by, ...teamOf(entry.change) },
      })
    case 'people-signed':
      return changed(entry.change, [99, 'Sign'], {
        status: { other: 'Pending' },
        message: `${entry.signer} signed ${entry.change.kind} of ${entry.change.person}`,
        unmapped: { kind: entry.change.kind, signer: entry.signer, ...teamOf(entry.change) },
      })
    case 'people-cancelled':
      return changed(entry.change, [99, 'Cancel'], {
        status: 'failure',
        message: `${entry.change.kind} of ${entry.change.person} was taken back`,
        unmapped: { kind: entry.change.kind, by: entry.by, ...teamOf(entry.change) },
      })
    case 'signed-in':
      return {
        of: CLASSES.authentication,
        activity: [1, 'Logon'],
        status: 'success',
        message: `${entry.person} signed in`,
        more: {
          user: { name: entry.person, uid: entry.person },
          service: { name: 'seconder' },
        },
        unmapped: { use: entry.use, bySignature: entry.act !== null },
      }
    case 'away':
      return managed(
        'update',
        { type: 'absence', uid: entry.signer },
        {
          message:
            entry.away === null
              ? `${entry.signer} is back`
              : `${entry.signer} is away until ${entry.away.until}; ${entry.away.to} is told instead`,
          more: { actor: { user: { name: entry.signer, uid: entry.signer } } },
        },
      )
    case 'redacted':
      return managed(
        'delete',
        { type: 'payload', uid: entry.payload },
        {
          message: `${entry.by.join(' and ')} redacted a document beside the ledger`,
          more: {},
          unmapped: { by: entry.by, reason: entry.reason, session: entry.session },
        },
      )
    case 'retention-ended':
      return managed(
        'delete',
        { type: 'payloads', uid: `epoch ${entry.epoch}` },
        {
          message: `${entry.payloads.length} documents older than ${entry.days} days were dropped`,
          more: {},
          unmapped: { payloads: entry.payloads, epoch: entry.epoch, days: entry.days },
        },
      )
    default:
      return null
  }
}

type Change = Extract<Entry, { type: 'people-changed' }>['change']

/** Keys are public, and still the bulk of an event: their owner's name is enough. */
function teamOf(change: Change): { readonly teams?: readonly string[] } {
  if (change.kind === 'add-person') return { teams: change.teams }
  return 'team' in change ? { teams: [change.team] } : {}
}

function changed(
  { person }: Change,
  activity: EventParts['activity'],
  parts: Pick<EventParts, 'status' | 'message'> & {
    readonly unmapped: EventParts['unmapped'] & object
  },
): EventParts {
  return {
    of: CLASSES.userManagement,
    activity,
    severity: 'low',
    ...parts,
    more: { user: { name: person, uid: person } },
  }
}
