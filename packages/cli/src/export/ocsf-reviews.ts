// Requests after they were opened, reviews, grants and break-glass, as Entity Management (3004).
// Source: https://schema.ocsf.io/1.9.0/classes/entity_management
import type { Entry } from '@seconder/gateway/record/entry'
import type { Known } from './ocsf.ts'
import { actorOf } from './ocsf-calls.ts'
import type { EventParts, OcsfObject } from './ocsf-event.ts'
import { managed } from './ocsf-sessions.ts'

function person(name: string): OcsfObject {
  return { actor: { user: { name, uid: name } } }
}

function request(uid: string, { requests }: Known) {
  const operation = requests.get(uid)?.operation
  return { type: 'review request', uid, ...(operation !== undefined && { name: operation }) }
}

export function reviewParts(entry: Entry, known: Known): EventParts | null {
  switch (entry.type) {
    case 'review': {
      const { reviewer, verdict, strength } = entry
      const of = request(entry.request, known)
      return managed('update', of, {
        message: `${reviewer} signed ${verdict} on ${of.name ?? entry.request}`,
        control: verdict === 'approve' ? 'approved' : 'rejected',
        correlation: entry.request,
        more: person(reviewer),
        unmapped: { verdict, strength },
      })
    }
    case 'request-closed':
      return managed('deactivate', request(entry.request, known), {
        message: `a request ended: ${entry.state}`,
        correlation: entry.request,
        ...(entry.by !== null && { more: person(entry.by) }),
        unmapped: { state: entry.state },
      })
    case 'request-cancelled':
      return managed('deactivate', request(entry.request, known), {
        message: `a request was taken back by its ${entry.by}`,
        correlation: entry.request,
        ...(entry.signer !== null && { more: person(entry.signer) }),
        unmapped: { by: entry.by, session: entry.session },
      })
    case 'request-escalated':
      return managed('update', request(entry.request, known), {
        message: `a request was told to ${entry.team} as well`,
        severity: 'low',
        correlation: entry.request,
        unmapped: { team: entry.team, alternative: entry.alternative },
      })
    default:
      return grantParts(entry, known) ?? glassParts(entry, known)
  }
}

function grantParts(entry: Entry, { grants }: Known): EventParts | null {
  switch (entry.type) {
    case 'grant-made':
    case 'plan-approved':
      return managed(
        'create',
        { type: 'grant', uid: entry.grant },
        {
          message: `a grant was made by ${entry.reviewers.join(', ')}`,
          control: 'approved',
          correlation: entry.request,
          unmapped: {
            reviewers: entry.reviewers,
            digest: entry.digest,
            expiresAt: entry.expiresAt,
          },
        },
      )
    case 'grant-revoked':
      return managed(
        'deactivate',
        { type: 'grant', uid: entry.grant },
        {
          message: `a grant was taken back`,
          severity: 'low',
          correlation: entry.request,
          ...(entry.signer !== null && { more: person(entry.signer) }),
          unmapped: { why: entry.why },
        },
      )
    case 'grant-expired':
      return managed(
        'deactivate',
        { type: 'grant', uid: entry.grant },
        {
          message: 'a grant ended unused',
          correlation: grants.get(entry.grant) ?? entry.request,
        },
      )
    default:
      return null
  }
}

function glassParts(entry: Entry, { sessions }: Known): EventParts | null {
  switch (entry.type) {
    case 'break-glass-opened': {
      const { breakGlass, session, operator, effects, resources, effectsMax, until } = entry
      const who = sessions.get(session)
      return managed(
        'activate',
        { type: 'break-glass', uid: breakGlass },
        {
          message: `${operator} opened break-glass: ${effects.join(', ')}, until ${until}`,
          severity: 'high',
          control: 'allowed',
          correlation: breakGlass,
          more: who === undefined ? person(operator) : actorOf({ ...who, operator }),
          unmapped: { effects, resources, effectsMax, until, session },
        },
      )
    }
    case 'break-glass-reviewed':
      return managed(
        'update',
        { type: 'break-glass', uid: entry.breakGlass },
        {
          message: `${entry.reviewer} looked at what was done by break-glass`,
          correlation: entry.breakGlass,
          more: person(entry.reviewer),
        },
      )
    default:
      return null
  }
}
