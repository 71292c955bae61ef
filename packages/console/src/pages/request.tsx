// The request page: what will happen, to what, who wants it, what would be lost, can it be undone, why am
// I asked. It renders from the hashed document alone, and only after every hash was made again here.
import type { AnyDocument } from '@seconder/gateway/review/plan-document'
import { useCallback, useMemo, useRef } from 'react'
import { type FullRequest, GateError, type GateFacts, type ShownRequest } from '../gate/api.ts'
import { type Checked, checkedRequest } from '../gate/checked-request.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { Again, Asked, SignedFolds } from '../parts/asked.tsx'
import { CallFacts, CallHead, environmentsOf, type Part } from '../parts/call.tsx'
import { EnvironmentTag, kindOf } from '../parts/environment-tag.tsx'
import { Failure, Loading } from '../parts/notice.tsx'
import { RequestState } from '../parts/request-state.tsx'
import { useNow } from '../parts/time.tsx'
import { safe } from '../parts/untrusted.tsx'
import { accountWords, relativeTime } from '../parts/words.ts'
import { PlanSteps } from './plan-steps.tsx'
import { Verdicts } from './verdicts.tsx'

export function RequestPage({ id, facts }: { readonly id: string; readonly facts: GateFacts }) {
  const concerns = useCallback((event: GateEvent) => event.request === id, [id])
  const { value, error, reload } = useLoaded<FullRequest>(
    `/api/requests/${encodeURIComponent(id)}`,
    concerns,
  )
  const checked = useMemo(() => value && checkedRequest(id, value, facts), [id, value, facts])
  // A document never changes. One that does while somebody reads it would be signed unread.
  const first = useRef<{ readonly id: string; readonly shown: string } | null>(null)
  if (checked?.ok && first.current?.id !== id) first.current = { id, shown: checked.shown }
  if (error) return <Failure error={error} retry={reload} />
  if (!value || !checked) return <Loading what="the request" />
  if (value.document === null) return <Gone full={value} />
  if (!checked.ok) return <Mismatch why={checked.why} />
  if (checked.shown !== first.current?.shown) return <Mismatch why={CHANGED} />
  return <Request full={value} checked={checked} facts={facts} reload={reload} />
}

/** What two people dropped, or what became too old: who, when and why stand in its place. */
function Gone({ full: { request, reviews, gone } }: { readonly full: FullRequest }) {
  return (
    <article className="request">
      <header className="request-head">
        <h1>
          <code>{safe(request.operation)}</code>
        </h1>
        <p className="summary">What its reviewers were shown: {safe(gone ?? '')}</p>
      </header>
      <RequestState request={request} reviews={reviews} />
    </article>
  )
}

const CHANGED = 'the gate shows another document of this request than before: do not sign it'

function Mismatch({ why }: { readonly why: string }) {
  const error = new GateError(0, 'document_mismatch', why, 'tell whoever runs the gate')
  return <Failure error={error} />
}

interface RequestProps {
  readonly full: FullRequest
  readonly checked: Checked & { readonly ok: true }
  readonly facts: GateFacts
  readonly reload: () => void
}

function Request({ full, checked, facts, reload }: RequestProps) {
  const { document, shown } = checked
  const { request, reviews } = full
  const parts = partsOf(document)
  const iamActions = [...new Set(parts.flatMap(({ action }) => action.iamActions))]
  return (
    <article className="request">
      <Band parts={parts} request={request} />
      <Again again={request.again} session={document.session} />
      {document.type === 'seconder-plan-document@v1' ? (
        <PlanSteps document={document} />
      ) : (
        <>
          <CallHead part={document} level="h1" />
          <CallFacts part={document} />
        </>
      )}
      <Asked document={document} reviews={reviews} />
      <RequestState request={request} reviews={reviews} />
      <Verdicts checked={checked} request={request} facts={facts} reload={reload} />
      <SignedFolds document={document} shown={shown} iamActions={iamActions} />
    </article>
  )
}

function partsOf(document: AnyDocument): readonly Part[] {
  return 'steps' in document ? document.steps : [document]
}

interface BandProps {
  readonly parts: readonly Part[]
  readonly request: ShownRequest
}

function Band({ parts, request }: BandProps) {
  const nowMs = useNow()
  const names = [...new Set(parts.flatMap(environmentsOf))]
  const worst = names.map(kindOf).toSorted(byDanger)[0] ?? 'production'
  const places = parts.map(
    ({ action }) => `${safe(action.region)} · account ${accountWords(safe(action.account))}`,
  )
  return (
    <div className={`band band-${worst}`}>
      <span>
        {names.map((name) => (
          <EnvironmentTag key={name} name={name} />
        ))}{' '}
        {[...new Set(places)].join(' and ')}
      </span>
      <span className="end">
        {request.state === 'pending' ? (
          <>expires {relativeTime(request.expiresAt, nowMs)}</>
        ) : (
          request.state.replace('_', ' ')
        )}
      </span>
    </div>
  )
}

const DANGER = ['production', 'staging', 'observe', 'development']
function byDanger(left: string, right: string): number {
  return DANGER.indexOf(left) - DANGER.indexOf(right)
}
