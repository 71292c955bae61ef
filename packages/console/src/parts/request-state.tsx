// Where a request stands: who signed what, and what happens now.
import type { ShownRequest, ShownReview } from '../gate/api.ts'
import { Claim } from './claim.tsx'
import { Time } from './time.tsx'
import { safe } from './untrusted.tsx'

const VERDICT: Record<string, string> = {
  approve: '✓ approved',
  deny: '✕ denied',
  request_changes: '↺ requests changes',
}

const NEXT: Record<string, string> = {
  approved:
    'Approved. Nothing has happened yet: it happens, once, when the agent runs the same call again.',
  denied: 'Denied. Nothing was done, and the agent was told why.',
  changes_requested:
    'Changes were requested. Nothing was done; the agent has the comment as its reason.',
  expired: 'Nobody answered in time. Nothing was done; the agent may ask anew.',
  cancelled: 'Cancelled. Nothing was done.',
}

interface StateProps {
  readonly request: ShownRequest
  readonly reviews: readonly ShownReview[]
}

export function RequestState({ request, reviews }: StateProps) {
  const next = NEXT[request.state]
  return (
    <section aria-label="Where it stands" aria-live="polite">
      {reviews.length > 0 && (
        <ul className="plain">
          {reviews.map(({ reviewer, verdict, strength, atMs }) => (
            <li key={`${reviewer} ${atMs}`}>
              {VERDICT[verdict]} by <strong>{safe(reviewer)}</strong>{' '}
              <span className="quiet">
                {strength === 'hardware' ? 'presence proved' : 'software key'} ·{' '}
                <Time at={new Date(atMs).toISOString()} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {next && <p className={`state state-${request.state}`}>{next}</p>}
      {request.state !== 'pending' && request.comment && (
        <Claim who={request.closedBy ?? 'The gate'} text={request.comment} isSigned />
      )}
    </section>
  )
}
