// What two sets of rules answer differently, by action, environment and principal.

import type { Judgement } from '../judge/judgement.ts'
import { CHANGES_LISTED_MAX, type Change } from './report.ts'

export class Changes {
  readonly #found = new Map<string, { readonly change: Omit<Change, 'count'>; count: number }>()
  #count = 0

  /** Events that are answered otherwise. */
  get count(): number {
    return this.#count
  }

  see(before: Judgement, now: Judgement, principal: string, times: number): void {
    const from = words(before)
    const to = words(now)
    if (from === to && before.environment === now.environment) return
    this.#count += times
    const { operation, environment } = now
    const key = JSON.stringify([from, to, operation, environment, principal])
    const known = this.#found.get(key)
    if (known !== undefined) known.count += times
    else if (this.#found.size < CHANGES_LISTED_MAX) {
      const change = { from, to, operation, environment, principal }
      this.#found.set(key, { change, count: times })
    }
  }

  list(): Change[] {
    const list = [...this.#found.values()].map(({ change, count }) => ({ ...change, count }))
    return list.sort((a, b) => b.count - a.count)
  }
}

function words({ answer, requirement }: Judgement): string {
  return answer === 'reviewed' ? `reviewed by ${requirement.join(' and ')}` : answer
}
