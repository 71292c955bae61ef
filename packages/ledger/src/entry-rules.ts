// Checks again, from the entries of a ledger alone, what must hold between them: each effect has its intent
// and its ground, each grant its reviews, nobody reviewed for themselves, nothing was used twice, and time
// went on. Who signed what is checked by SignedActs, the order of a plan by PlanOrder. Runs in browsers.

import { peopleOf } from './requirement.ts'
import { SeenIds } from './seen-ids.ts'

type Members = Readonly<Record<string, unknown>>

/** Clocks of gateways may differ by this much; more is a finding, in milliseconds. */
export const CLOCK_BACK_MS_MAX = 5_000
/** How long what was decided in time may be on its way into the ledger, in milliseconds. */
const ON_ITS_WAY_MS = 10_000

interface Request {
  readonly session: unknown
  readonly operator: unknown
  readonly instigators: readonly unknown[]
  readonly digest: unknown
  readonly document: unknown
  /** What is asked for may be met in another way after an escalation, by fewer. */
  peopleMin: number
  readonly approvers: Set<unknown>
  /** Closed, cancelled or denied: a grant that comes now is good for nothing. */
  isEnded: boolean
  isUsed: boolean
}

interface Grant {
  readonly request: unknown
  readonly digest: unknown
  readonly expiresAtMs: number
  readonly isPlan: boolean
}

interface Session {
  readonly operator: unknown
  /** Who sent its task. */
  readonly instigators: readonly unknown[]
  /** The session that ends and is suspended with it: its parent, or itself. */
  readonly root: unknown
  /** Since when nothing passes, and why; null while it is open. */
  shut: { readonly atMs: number; readonly why: string } | null
}

interface BreakGlass {
  readonly session: unknown
  readonly operator: unknown
  readonly instigators: readonly unknown[]
  readonly effects: readonly unknown[]
  readonly resources: readonly unknown[]
  readonly untilMs: number
  effectsLeft: number
}

export class EntryRules {
  #lastMs = 0
  readonly #sessions = new Map<unknown, Session>()
  readonly #requests = new Map<unknown, Request>()
  /** Those that are ready: made, and neither used nor ended. */
  readonly #grants = new Map<unknown, Grant>()
  readonly #glasses = new Map<unknown, BreakGlass>()
  /** Effects whose outcome did not come, and those accepted whose end was not confirmed. */
  readonly #open = new Set<unknown>()
  readonly #accepted = new Set<unknown>()
  readonly #effects = new SeenIds()
  readonly #signatures = new SeenIds()

  /** Why the next entry may not be believed, in words; null where it fits. */
  take(entry: Members): string | null {
    return this.#checkTime(entry) ?? this.#check(entry)
  }

  #checkTime({ at }: Members): string | null {
    const atMs = Date.parse(String(at))
    if (Number.isNaN(atMs)) return 'it says no time'
    const wentBackMs = this.#lastMs - atMs
    this.#lastMs = Math.max(this.#lastMs, atMs)
    return wentBackMs > CLOCK_BACK_MS_MAX ? 'the clock went back before it' : null
  }

  #check(entry: Members): string | null {
    switch (entry['type']) {
      case 'session-opened':
      case 'child-session-opened':
        return this.#openSession(entry)
      case 'session-suspended':
        return this.#suspend(entry)
      case 'session-closed':
        return this.#close(entry)
      case 'session-resumed':
        return this.#resume(entry)
      case 'read':
        return this.#isShut(entry)
      case 'request-opened':
      case 'plan-opened':
        return this.#openRequest(entry)
      case 'review':
        return this.#review(entry)
      case 'request-closed':
      case 'request-cancelled':
        this.#endRequest(entry['request'])
        return null
      case 'grant-made':
      case 'plan-approved':
        return this.#grant(entry)
      case 'grant-revoked':
      case 'grant-expired':
        this.#grants.delete(entry['grant'])
        return null
      case 'request-escalated':
        return this.#escalate(entry)
      case 'break-glass-opened':
        return this.#openGlass(entry)
      case 'break-glass-reviewed':
        return this.#lookAtGlass(entry)
      case 'gate-restored':
        return this.#endAll()
      case 'intent':
        return this.#intent(entry)
      case 'outcome':
        return this.#outcome(entry)
      default:
        return null
    }
  }

  #openSession(entry: Members): string | null {
    const { type, session, operator, parent } = entry
    if (this.#sessions.has(session)) return 'its session was opened before'
    if (type === 'session-opened') {
      // Nobody signs whose child it is, and a child would have whom its parent excludes.
      if (parent !== undefined) return 'a session that a person opened has no parent'
      const instigators = listOf(entry['instigators'])
      this.#sessions.set(session, { operator, instigators, root: session, shut: null })
      return null
    }
    const opener = this.#sessions.get(parent)
    if (!opener) return 'the session that opened it was never opened'
    const { instigators } = opener
    this.#sessions.set(session, { operator, instigators, root: parent, shut: null })
    return opener.operator === operator
      ? this.#isShut({ session })
      : 'its operator is not that of its parent'
  }

  #suspend({ session: id }: Members): null {
    const session = this.#sessions.get(id)
    if (session) session.shut ??= { atMs: this.#lastMs, why: 'was suspended' }
    return null
  }

  /** For good, also where it was only suspended before. */
  #close({ session: id }: Members): null {
    const session = this.#sessions.get(id)
    if (session) session.shut = { atMs: session.shut?.atMs ?? this.#lastMs, why: 'was closed' }
    return null
  }

  #resume(entry: Members): string | null {
    const session = this.#sessions.get(entry['session'])
    if (session?.shut?.why === 'was closed') return 'its session was closed before'
    if (session) session.shut = null
    return this.#ofSession(entry)
  }

  /** What had begun right before may be written right after. */
  #isShut({ session: id }: Members): string | null {
    const session = this.#sessions.get(id)
    const shut = session?.shut ?? this.#sessions.get(session?.root)?.shut
    if (!shut || this.#lastMs <= shut.atMs + ON_ITS_WAY_MS) return null
    return `its session ${shut.why} before`
  }

  #ofSession({ session, operator }: Members): string | null {
    const known = this.#sessions.get(session)
    if (!known) return 'its session was never opened'
    return known.operator === operator ? null : 'its operator did not open its session'
  }

  #openRequest(entry: Members): string | null {
    const { request, session, operator, digest, document, requirement } = entry
    if (this.#requests.has(request)) return 'its request was opened before'
    // What is not there would equal what is not there in a review of it.
    if (typeof digest !== 'string' || typeof document !== 'string') return 'it does not say of what'
    const peopleMin = peopleOf(requirement)
    // No number is smaller or greater: every grant would have enough.
    if (Number.isNaN(peopleMin)) return 'it does not say how many must approve'
    const instigators = this.#sessions.get(session)?.instigators ?? []
    const who = { session, operator, instigators }
    const opened = { ...who, digest, document, peopleMin, approvers: new Set() }
    this.#requests.set(request, { ...opened, isEnded: false, isUsed: false })
    return this.#ofSession(entry)
  }

  #escalate({ request: id, alternative }: Members): string | null {
    const request = this.#requests.get(id)
    if (!request || !Array.isArray(alternative)) return null
    const peopleMin = peopleOf(alternative)
    if (Number.isNaN(peopleMin)) return 'it does not say how many must approve'
    request.peopleMin = Math.min(request.peopleMin, peopleMin)
    return null
  }

  #endRequest(id: unknown): void {
    const request = this.#requests.get(id)
    if (request) request.isEnded = true
  }

  /** From here on nothing counts that was opened or approved before. */
  #endAll(): null {
    this.#sessions.clear()
    this.#grants.clear()
    for (const request of this.#requests.values()) request.isEnded = true
    return null
  }

  #review({ request: id, reviewer, verdict, act }: Members): string | null {
    const request = this.#requests.get(id)
    if (!request) return 'its request was never opened'
    if (reviewer === request.operator) return 'the operator reviewed for their own agent'
    if (request.instigators.includes(reviewer)) return 'whoever sent the task reviewed it'
    const { digest, shown } = statementOf(act)
    if (digest !== request.digest)
      return 'its reviewer signed another digest than that of the request'
    if (shown !== request.document) return 'its reviewer was shown another document'
    if (verdict === 'approve') request.approvers.add(reviewer)
    else request.isEnded = true
    return null
  }

  #grant(entry: Members): string | null {
    const { grant, request: id, digest, reviewers, expiresAt, type } = entry
    const request = this.#requests.get(id)
    if (!request) return 'its request was never opened'
    if (digest !== request.digest) return 'its grant is for another digest than that of the request'
    const people = new Set(Array.isArray(reviewers) ? reviewers : [])
    if (people.has(request.operator)) return 'the operator is among its reviewers'
    if (request.instigators.some((one) => people.has(one)))
      return 'whoever sent the task is among its reviewers'
    for (const person of people) {
      if (!request.approvers.has(person)) return 'one of its reviewers never approved the request'
    }
    if (people.size < request.peopleMin) return 'it has fewer reviewers than were asked for'
    // Recorded in the same moment in which the request ended: the state never had it.
    if (request.isEnded || request.isUsed) return null
    const expiresAtMs = Date.parse(String(expiresAt))
    if (Number.isNaN(expiresAtMs)) return 'it does not say when its grant expires'
    this.#grants.set(grant, { request: id, digest, expiresAtMs, isPlan: type === 'plan-approved' })
    return null
  }

  #openGlass(entry: Members): string | null {
    const { breakGlass, session, operator, until, effectsMax } = entry
    const untilMs = Date.parse(String(until))
    const effectsLeft = Number(effectsMax)
    if (Number.isNaN(untilMs) || !Number.isInteger(effectsLeft)) return 'it does not say its end'
    const [effects, resources] = [listOf(entry['effects']), listOf(entry['resources'])]
    const { instigators = [] } = this.#sessions.get(session) ?? {}
    const who = { session, operator, instigators }
    this.#glasses.set(breakGlass, { ...who, effects, resources, untilMs, effectsLeft })
    return this.#ofSession(entry)
  }

  #lookAtGlass({ breakGlass, reviewer }: Members): string | null {
    const glass = this.#glasses.get(breakGlass)
    if (!glass) return 'its break-glass was never opened'
    if (glass.instigators.includes(reviewer))
      return 'whoever sent the task looked at its break-glass'
    return glass.operator === reviewer ? 'the operator looked at their own break-glass' : null
  }

  #intent(entry: Members): string | null {
    const { effect, signature } = entry
    if (!this.#effects.add(String(effect))) return 'its effect was begun before'
    this.#open.add(effect)
    if (signature !== undefined && !this.#signatures.add(String(signature))) {
      return 'the signature of its call was used before'
    }
    return this.#ofSession(entry) ?? this.#isShut(entry) ?? this.#ground(entry)
  }

  /** What let it happen: a grant, a glass that was broken, or policy. */
  #ground(entry: Members): string | null {
    const { grant, breakGlass, policies, observed, request } = entry
    if (breakGlass !== undefined) return this.#underGlass(entry)
    if (grant !== null) return this.#useGrant(entry)
    if (request !== null) return 'it names a request and no grant'
    const isPermitted = Array.isArray(policies) && policies.length > 0
    return isPermitted || typeof observed === 'string' ? null : 'nothing permitted it'
  }

  #useGrant(entry: Members): string | null {
    const { grant: id, request: requestId, digest, session, plan } = entry
    const grant = this.#grants.get(id)
    const request = this.#requests.get(requestId)
    if (!grant || !request) return 'its grant was never made, was used before, or had ended'
    if (grant.request !== requestId) return 'its grant is that of another request'
    if (request.session !== session) return 'its grant is that of another session'
    if (this.#lastMs > grant.expiresAtMs + ON_ITS_WAY_MS) return 'its grant had expired'
    // PlanOrder has the digests of the steps, and their order.
    if (grant.isPlan) {
      const isStep = (plan as Members | undefined)?.['plan'] === requestId
      return isStep ? null : 'its grant is for the steps of a plan, and it is none of them'
    }
    if (plan !== undefined) return 'it is a step of a plan under the grant of one call'
    this.#grants.delete(id)
    if (request.isUsed) return 'its request was used before, by another grant'
    request.isUsed = true
    return digest === grant.digest ? null : 'it is not what was reviewed: the digests differ'
  }

  #underGlass(entry: Members): string | null {
    const { breakGlass, session } = entry
    const glass = this.#glasses.get(breakGlass)
    if (!glass || glass.session !== session) return 'its break-glass was never opened'
    if (this.#lastMs > glass.untilMs + ON_ITS_WAY_MS) return 'its break-glass had ended'
    const isNamed =
      listOf(entry['effects']).every((effect) => glass.effects.includes(effect)) &&
      listOf(entry['resources']).every((arn) => glass.resources.includes(arn))
    if (!isNamed) return 'its break-glass was not for this'
    glass.effectsLeft -= 1
    return glass.effectsLeft < 0 ? 'its break-glass had no effect left' : null
  }

  #outcome({ effect, outcome }: Members): string | null {
    const { result } = outcome as Members
    if (result === 'confirmed') {
      return this.#accepted.delete(effect) ? null : 'what it confirms was never accepted'
    }
    if (!this.#open.delete(effect)) return 'its effect has no intent, or had its outcome before'
    if (result === 'accepted') this.#accepted.add(effect)
    return null
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** What was signed; SignedActs checks that it was. */
function statementOf(act: unknown): Members {
  const text = (act as Members | null)?.['statement']
  try {
    return JSON.parse(String(text)) as Members
  } catch {
    return {}
  }
}
