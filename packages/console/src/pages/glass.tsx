// One break-glass: why its operator went ahead alone, every call that was made under it with its end, and the
// after-review of two others. It renders from the account that this browser hashed again, and from nothing else.
import type { Deed, GlassCall } from '@seconder/gateway/break-glass/account'
import { outcomeWords } from '@seconder/gateway/break-glass/words'
import { useCallback, useMemo } from 'react'
import { GateError, type GateFacts } from '../gate/api.ts'
import {
  type CheckedGlass,
  checkedGlass,
  type FullBreakGlass,
  stateAt,
} from '../gate/break-glass.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { CallFacts, CallHead } from '../parts/call.tsx'
import { Claim } from '../parts/claim.tsx'
import { EffectMark, strictestFirst } from '../parts/effect-mark.tsx'
import { Link } from '../parts/link.tsx'
import { Failure, Loading } from '../parts/notice.tsx'
import { Time, useNow } from '../parts/time.tsx'
import { Name, safe } from '../parts/untrusted.tsx'
import { absoluteTime, plural } from '../parts/words.ts'
import { toSession } from '../route.ts'
import { AfterReview } from './after-review.tsx'

export function GlassPage({ id, facts }: { readonly id: string; readonly facts: GateFacts }) {
  const concerns = useCallback(
    (event: GateEvent) => event.breakGlass === id || event.type === 'outcome',
    [id],
  )
  const path = `/api/break-glass/${encodeURIComponent(id)}`
  const { value, error, reload } = useLoaded<FullBreakGlass>(path, concerns)
  const checked = useMemo(() => value && checkedGlass(value, facts), [value, facts])
  if (error) return <Failure error={error} retry={reload} />
  if (!value || !checked) return <Loading what="the break-glass" />
  if (!checked.ok) {
    const help = 'tell whoever runs the gate'
    return <Failure error={new GateError(0, 'document_mismatch', checked.why, help)} />
  }
  return <Glass full={value} checked={checked} facts={facts} reload={reload} />
}

interface GlassProps {
  readonly full: FullBreakGlass
  readonly checked: CheckedGlass & { readonly ok: true }
  readonly facts: GateFacts
  readonly reload: () => void
}

const BAND = { open: 'production', 'after-review': 'staging', closed: 'development' }

function Glass({ full, checked, facts, reload }: GlassProps) {
  const state = stateAt(full, useNow())
  const { account, calls } = checked
  const { opened, reason, deeds } = account
  const words = {
    open: (
      <>
        open, ends <Time at={opened.until} />
      </>
    ),
    'after-review': 'after-review due',
    closed: 'looked at by two others',
  }[state]
  return (
    <article className="request">
      <div className={`band band-${BAND[state]}`}>
        <span>BREAK-GLASS</span>
        <span className="end">{words}</span>
      </div>
      <header className="request-head">
        <h1>
          {safe(opened.operator)} {state === 'open' ? 'goes' : 'went'} ahead alone
        </h1>
        <p className="summary">{summaryOf(deeds, full)}</p>
      </header>
      <section aria-label="Why, and within what">
        <Claim who={safe(opened.operator)} text={reason} isSigned />
        <Bounds full={full} checked={checked} />
      </section>
      {deeds.map((deed, at) => (
        <DeedSection
          key={deed.intent.effect}
          deed={deed}
          call={calls.get(deed.intent.effect)}
          gone={full.gone[deed.intent.document ?? '']}
          place={`Call ${at + 1} of ${deeds.length}`}
        />
      ))}
      <AfterReview full={full} account={account} state={state} facts={facts} reload={reload} />
    </article>
  )
}

/** Worst first; what nobody knows the end of comes before what ended well. */
function summaryOf(deeds: readonly Deed[], { used }: FullBreakGlass): string {
  const lost = used - deeds.length
  const ends = deeds.map(({ outcomes }) => outcomes.at(-1)?.outcome)
  const unknown = ends.filter((end) => end === undefined || end.result === 'unknown').length
  const failed = ends.filter((end) => end?.result === 'failed').length
  const parts = [
    deeds.length === 0 ? 'Nothing was done under it.' : `${plural(deeds.length, 'call')} made.`,
    unknown > 0 ? `Nobody knows how ${unknown} of them ended.` : '',
    failed > 0 ? `${failed} failed.` : '',
    lost > 0 ? `${plural(lost, 'call')} began and never reached AWS: the gate stopped.` : '',
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function Bounds({ full, checked: { account } }: Pick<GlassProps, 'full' | 'checked'>) {
  const { opened } = account
  return (
    <dl className="facts-list">
      <dt>May</dt>
      <dd>
        {strictestFirst(opened.effects).map((effect) => (
          <EffectMark key={effect} effect={effect} />
        ))}
      </dd>
      <dt>To</dt>
      <dd>
        {opened.resources.map((arn) => (
          <div key={arn}>
            <Name text={arn} />
          </div>
        ))}
      </dd>
      <dt>Time box</dt>
      <dd>
        {absoluteTime(opened.at)} to {absoluteTime(opened.until)} (<Time at={opened.until} />)
      </dd>
      <dt>Calls</dt>
      <dd>
        {full.used} of {opened.effectsMax} used
      </dd>
      <dt>Session</dt>
      <dd>
        <Link to={toSession(opened.session)}>everything its agent did and asked</Link> · epoch{' '}
        {full.epoch} · {full.strength === 'hardware' ? 'presence proved' : 'software key'}
      </dd>
    </dl>
  )
}

interface DeedProps {
  readonly deed: Deed
  readonly call: GlassCall | undefined
  /** Why there is no call to show any more. */
  readonly gone: string | undefined
  readonly place: string
}

function DeedSection({ deed: { intent, outcomes }, call, gone, place }: DeedProps) {
  return (
    <section className="plan-step" aria-label={place}>
      <h2>
        {place} · made <Time at={intent.at} />
      </h2>
      <ul className="plain">
        {outcomes.length === 0 && <li className="warn">→ no outcome yet</li>}
        {outcomes.map(({ outcome, at }) => (
          <li key={at} className={isWell(outcome.result) ? 'good' : 'warn'}>
            → {outcomeWords(outcome)} · <Time at={at} />
          </li>
        ))}
      </ul>
      {gone !== undefined && <p className="quiet">What the gate found: {safe(gone)}</p>}
      {call && (
        <>
          <p className="quiet">What the gate found right before it:</p>
          <CallHead part={call} level="h3" />
          <CallFacts part={call} isSent />
        </>
      )}
    </section>
  )
}

function isWell(result: string): boolean {
  return ['succeeded', 'accepted', 'confirmed'].includes(result)
}
