// Checks again, from the entries of a ledger alone, that what was done under a plan is what was signed: its
// steps by their digests, in order, once each, each after the end of the one before, none after it was stopped.

type Members = Readonly<Record<string, unknown>>

interface Plan {
  readonly digests: readonly unknown[]
  grant: unknown
  /** The last step that was begun, its effect, and whether that ended well. */
  step: number
  effect: unknown
  hasEnded: boolean
  isStopped: boolean
}

const ENDED_WELL = new Set(['succeeded', 'accepted'])

export class PlanOrder {
  readonly #plans = new Map<unknown, Plan>()
  readonly #planOf = new Map<unknown, Plan>()

  /** Why the next entry may not be believed, in words; null where it fits. */
  take(entry: Members): string | null {
    switch (entry['type']) {
      case 'plan-opened':
        return this.#open(entry)
      case 'plan-approved':
        return this.#approve(entry)
      case 'plan-stopped':
        this.#stop(entry['plan'])
        return null
      case 'grant-revoked':
      case 'grant-expired':
        this.#stop(entry['request'])
        return null
      case 'outcome':
        this.#end(entry)
        return null
      case 'intent':
        return this.#begin(entry)
      default:
        return null
    }
  }

  #open({ request, steps }: Members): string | null {
    if (!Array.isArray(steps)) return 'a plan in it has no steps'
    const digests = steps.map((step: Members) => step['digest'])
    const begun = { grant: null, step: 0, effect: null, hasEnded: true, isStopped: false }
    this.#plans.set(request, { digests, ...begun })
    return null
  }

  #approve({ request, grant }: Members): string | null {
    const plan = this.#plans.get(request)
    if (!plan) return 'a plan in it was approved and never opened'
    plan.grant = grant
    return null
  }

  #stop(id: unknown): void {
    const plan = this.#plans.get(id)
    if (plan) plan.isStopped = true
  }

  #begin({ plan: place, grant, digest, effect }: Members): string | null {
    if (place === undefined) return null
    const { plan: id, step } = place as Members
    const plan = this.#plans.get(id)
    if (!plan || plan.grant === null || plan.grant !== grant)
      return 'a step of a plan that nobody approved'
    if (plan.isStopped) return 'a step of a plan that was stopped before'
    if (step !== plan.step + 1) return 'a step of a plan out of order, or made again'
    if (!plan.hasEnded) return 'a step of a plan before the one before it ended well'
    if (digest !== plan.digests[plan.step]) return 'a step of a plan that is not the one signed'
    plan.step++
    plan.effect = effect
    plan.hasEnded = false
    this.#planOf.set(effect, plan)
    return null
  }

  #end({ effect, outcome }: Members): void {
    const plan = this.#planOf.get(effect)
    if (!plan || plan.effect !== effect) return
    if (ENDED_WELL.has(String((outcome as Members)['result']))) plan.hasEnded = true
  }
}
