// What a list says where there is more than it shows: how many are shown, and a way to more of them.
import { useState } from 'react'

const FIRST = 100
/** The most that the gate lists at once. */
const MOST = 1_000

/**
 * How many a list asks for, and what to show below it: `next` is what the gate says of the rest. `command` shows
 * the oldest.
 */
export function useMore(command = 'seconder request ls --before ID'): {
  readonly limit: number
  readonly more: (next: string | null | undefined) => React.ReactNode
} {
  const [limit, setLimit] = useState(FIRST)
  const more = (next: string | null | undefined) => {
    if (next === null || next === undefined) return null
    if (limit >= MOST) {
      return (
        <p className="quiet">
          These are the newest {MOST}. Older ones: <code>{command}</code>
        </p>
      )
    }
    return (
      <p>
        These are the newest {limit}.{' '}
        <button type="button" onClick={() => setLimit(MOST)}>
          Show up to {MOST}
        </button>
      </p>
    )
  }
  return { limit, more }
}
