// Break-glass: who went ahead alone, why, within what, what of it was used, and who has looked. And the way to
// go ahead, for an operator.
import { useCallback } from 'react'
import type { GateFacts } from '../gate/api.ts'
import { type BreakGlassPage, type ShownBreakGlass, stateAt } from '../gate/break-glass.ts'
import { useIdentity } from '../gate/identity.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { EffectMark, strictestFirst } from '../parts/effect-mark.tsx'
import { AFTER_REVIEWERS } from '../parts/glass-banner.tsx'
import { Link } from '../parts/link.tsx'
import { useMore } from '../parts/more.tsx'
import { Empty, Failure, Loading } from '../parts/notice.tsx'
import { Time, useNow } from '../parts/time.tsx'
import { safe } from '../parts/untrusted.tsx'
import { plural } from '../parts/words.ts'
import { toBreakGlass } from '../route.ts'
import { GoAhead } from './go-ahead.tsx'

type Listed = BreakGlassPage & { readonly next: string | null }

export function BreakGlasses({ facts }: { readonly facts: GateFacts }) {
  const concerns = useCallback((event: GateEvent) => event.breakGlass !== undefined, [])
  const { limit, more } = useMore('seconder break-glass ls')
  const path = `/api/break-glass?limit=${limit}`
  const { value, error, reload } = useLoaded<Listed>(path, concerns)
  const { person, hasPasskey } = useIdentity()
  if (error) return <Failure error={error} retry={reload} />
  if (!value) return <Loading what="break-glass" />
  const { breakGlass, isEnabled, next } = value
  return (
    <>
      <h1>Break-glass</h1>
      <p>
        An operator goes ahead without a second person: within named effects and things, for
        minutes, and two others look at all of it afterwards.
      </p>
      {!isEnabled && (
        <Empty>
          It is off at this gate. Two people turn it on:{' '}
          <code>review: {'{ breakGlass: true }'}</code>, policies that read{' '}
          <code>context.breakGlass</code>, and <code>seconder policy activate</code>.
        </Empty>
      )}
      {isEnabled && breakGlass.length === 0 && <Empty>Nobody has ever gone ahead alone.</Empty>}
      <ul className="rows">
        {breakGlass.map((one) => (
          <li key={one.id}>
            <Row one={one} />
          </li>
        ))}
      </ul>
      {more(next)}
      {isEnabled && person !== null && hasPasskey && <GoAhead facts={facts} person={person} />}
    </>
  )
}

const STATE = { open: '■ open', 'after-review': '▲ after-review due', closed: '✓ looked at' }

function Row({ one }: { readonly one: ShownBreakGlass }) {
  const state = stateAt(one, useNow())
  const { id, operator, effects, reason, used, effectsMax, openedAt, until, reviews } = one
  return (
    <Link to={toBreakGlass(id)} className="row">
      <span className="row-what">
        <span className={`glass-state glass-state-${state}`}>{STATE[state]}</span>{' '}
        <strong>{safe(operator)}</strong>{' '}
        {strictestFirst(effects).map((effect) => (
          <EffectMark key={effect} effect={effect} />
        ))}
      </span>
      <span className="row-summary">“{safe(reason)}”</span>
      <span className="row-when">
        {used} of {plural(effectsMax, 'call')} used · {plural(one.resources.length, 'thing')} named
        · opened <Time at={openedAt} /> ·{' '}
        {state === 'open' && (
          <>
            ends <Time at={until} /> ·{' '}
          </>
        )}
        looked at by {reviews.map(({ reviewer }) => safe(reviewer)).join(', ') || 'nobody'} (
        {reviews.length} of {AFTER_REVIEWERS})
      </span>
    </Link>
  )
}
