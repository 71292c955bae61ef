// On every page, while somebody goes ahead alone or nobody has looked at it yet: who, within what, until when.
import { useCallback } from 'react'
import { type BreakGlassPage, type ShownBreakGlass, stateAt } from '../gate/break-glass.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { toBreakGlass, toBreakGlasses } from '../route.ts'
import { Link } from './link.tsx'
import { Time, useNow } from './time.tsx'
import { safe } from './untrusted.tsx'
import { plural } from './words.ts'

const SHOWN_MAX = 3
/** Others who must look at what was done. */
export const AFTER_REVIEWERS = 2

export function GlassBanner() {
  const concerns = useCallback(
    (event: GateEvent) =>
      event.breakGlass !== undefined || event.type === 'session-closed' || isEpoch(event),
    [],
  )
  const { value } = useLoaded<BreakGlassPage>('/api/break-glass?state=unclosed', concerns)
  const unclosed = value?.breakGlass ?? []
  if (unclosed.length === 0) return null
  return (
    <section className="glass-banners" aria-label="Break-glass" role="alert">
      {unclosed.slice(0, SHOWN_MAX).map((one) => (
        <Banner key={one.id} one={one} />
      ))}
      {unclosed.length > SHOWN_MAX && (
        <p className="quiet">
          and <Link to={toBreakGlasses()}>{unclosed.length - SHOWN_MAX} more</Link>
        </p>
      )}
    </section>
  )
}

function isEpoch({ type }: GateEvent): boolean {
  return type === 'epoch-activated'
}

function Banner({ one }: { readonly one: ShownBreakGlass }) {
  const nowMs = useNow()
  const isOpen = stateAt(one, nowMs) === 'open'
  const { id, operator, used, effectsMax, until, reviews } = one
  return (
    <p className={`glass-banner glass-${isOpen ? 'open' : 'due'}`}>
      <strong>{isOpen ? '■ BREAK-GLASS IS OPEN' : '▲ AFTER-REVIEW IS DUE'}</strong>{' '}
      <span>
        {isOpen ? (
          <>
            {safe(operator)} goes ahead alone: {used} of {plural(effectsMax, 'call')} used, ends{' '}
            <Time at={until} />.
          </>
        ) : (
          <>
            {safe(operator)} went ahead alone, {plural(used, 'call')}: {reviews.length} of{' '}
            {AFTER_REVIEWERS} others have looked.
          </>
        )}
      </span>{' '}
      <Link to={toBreakGlass(id)} className="glass-banner-link">
        {isOpen ? 'See what is done' : 'Read and sign'}
      </Link>
    </p>
  )
}
