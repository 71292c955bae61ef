// Each entry of the ledger as one event of OCSF 1.9.0, so that a SIEM reads them without a parser of its own.
// Calls are API Activity; sessions, people, reviews, grants and epochs are Identity & Access Management. A type of
// entry that this build does not know is a Base Event with nothing of its content but its type.
import type { CallFacts, Entry } from '@seconder/gateway/record/entry'
import { callEvent, keptFacts, outcomeEvent } from './ocsf-calls.ts'
import { CLASSES, type EventParts, type OcsfObject, ocsfEvent } from './ocsf-event.ts'
import { peopleParts } from './ocsf-people.ts'
import { reviewParts } from './ocsf-reviews.ts'
import { sessionParts } from './ocsf-sessions.ts'
import { Recent } from './recent.ts'
import type { VerifiedEntry } from './verified-ledger.ts'

/** What later entries only name by an id: calls under way, sessions and requests that are not over. */
export class Known {
  readonly calls = new Recent<CallFacts>()
  readonly sessions = new Recent<Pick<CallFacts, 'session' | 'operator' | 'agent' | 'role'>>()
  readonly requests = new Recent<Pick<CallFacts, 'operation' | 'session'>>()
  /** Request of a grant. */
  readonly grants = new Recent<string>()
}

export class OcsfEvents {
  readonly #known = new Known()

  /** Takes every entry in order, also those that are not asked for: others name them. */
  take({ index, hash, text }: VerifiedEntry): OcsfObject {
    const entry = parsed(text)
    if (entry === null) return ocsfEvent(unknownParts('unreadable'), place(index, hash, '', ''))
    const parts = this.#parts(entry) ?? unknownParts(entry.type)
    return ocsfEvent(parts, place(index, hash, entry.type, entry.at))
  }

  #parts(entry: Entry): EventParts | null {
    this.#note(entry)
    if (entry.type === 'outcome') return outcomeEvent(entry, this.#known.calls.get(entry.effect))
    return (
      callEvent(entry) ??
      sessionParts(entry, this.#known) ??
      reviewParts(entry, this.#known) ??
      peopleParts(entry)
    )
  }

  #note(entry: Entry): void {
    const { calls, sessions, requests, grants } = this.#known
    switch (entry.type) {
      case 'intent':
        calls.set(entry.effect, keptFacts(entry))
        return
      case 'session-opened':
      case 'child-session-opened': {
        const { session, operator, agent, role } = entry
        sessions.set(session, { session, operator, agent, role })
        return
      }
      case 'request-opened':
      case 'plan-opened': {
        const { request, operation, session } = entry
        requests.set(request, { operation, session })
        return
      }
      case 'grant-made':
      case 'plan-approved':
        grants.set(entry.grant, entry.request)
        return
      default:
        return
    }
  }
}

function place(index: number, hash: string, type: string, at: string) {
  return { index, hash, type, at }
}

function parsed(text: string): Entry | null {
  try {
    const value = JSON.parse(text) as Entry
    return typeof value.type === 'string' && typeof value.at === 'string' ? value : null
  } catch {
    return null
  }
}

function unknownParts(type: string): EventParts {
  return {
    of: CLASSES.base,
    activity: [99, type],
    status: 'unknown',
    message: `an entry that this build does not know: ${type}`,
    more: {},
  }
}
