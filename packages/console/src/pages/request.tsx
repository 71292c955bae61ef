// The request page: what will happen, to what, who wants it, what would be lost, can it be undone, why am
// I asked. It renders from the hashed document alone, and only after both hashes were made again here.
import type { Effect } from '@seconder/gateway/describe/action'
import type { ReviewDocument } from '@seconder/gateway/review/document'
import { requirementWords } from '@seconder/gateway/review/words'
import { useCallback, useMemo } from 'react'
import { type FullRequest, GateError, type GateFacts, type ShownRequest } from '../gate/api.ts'
import { type Checked, checkedRequest } from '../gate/checked-request.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { BlastGraph } from '../parts/blast-graph.tsx'
import { Claim } from '../parts/claim.tsx'
import { Copied } from '../parts/copied.tsx'
import { EffectMark, strictestFirst } from '../parts/effect-mark.tsx'
import { EnvironmentTag, kindOf } from '../parts/environment-tag.tsx'
import { FindingsTable } from '../parts/findings-table.tsx'
import { InnerCalls } from '../parts/inner-calls.tsx'
import { Link } from '../parts/link.tsx'
import { Failure, Loading } from '../parts/notice.tsx'
import { RequestState } from '../parts/request-state.tsx'
import { Time, useNow } from '../parts/time.tsx'
import { Json, Name, safe } from '../parts/untrusted.tsx'
import { accountWords, plural, relativeTime } from '../parts/words.ts'
import { toSession } from '../route.ts'
import { Verdicts } from './verdicts.tsx'

export function RequestPage({ id, facts }: { readonly id: string; readonly facts: GateFacts }) {
  const concerns = useCallback((event: GateEvent) => event.request === id, [id])
  const { value, error, reload } = useLoaded<FullRequest>(
    `/api/requests/${encodeURIComponent(id)}`,
    concerns,
  )
  const checked = useMemo(() => value && checkedRequest(value, facts), [value, facts])
  if (error) return <Failure error={error} retry={reload} />
  if (!value || !checked) return <Loading what="the request" />
  if (!checked.ok) return <Mismatch why={checked.why} />
  return <Request full={value} checked={checked} facts={facts} reload={reload} />
}

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
  const { action, evidence } = document
  const { request, reviews } = full
  return (
    <article className="request" aria-labelledby="operation">
      <Band document={document} request={request} />
      <header className="request-head">
        <h1 id="operation">
          {effectsOf(document).map((effect) => (
            <EffectMark key={effect} effect={effect} />
          ))}{' '}
          <code>{safe(action.operation)}</code>
        </h1>
        <Resources document={document} />
        <p className="summary">{safe(document.summary)}</p>
      </header>
      <Warnings document={document} />
      <section aria-label="Blast radius">
        <FindingsTable findings={evidence.findings} />
        <BlastGraph operation={action.operation} findings={evidence.findings} />
        <ul className="plain">
          {evidence.couldNotLook.map((words) => (
            <li key={words} className="warn">
              could not look: {safe(words)}
            </li>
          ))}
        </ul>
      </section>
      <InnerCalls document={document} />
      <Change document={document} />
      <Asked document={document} request={request} reviews={reviews} />
      <RequestState request={request} reviews={reviews} />
      <Verdicts checked={checked} request={request} facts={facts} reload={reload} />
      <Folds document={document} shown={shown} />
    </article>
  )
}

function Band({
  document,
  request,
}: {
  readonly document: ReviewDocument
  readonly request: ShownRequest
}) {
  const nowMs = useNow()
  const { action, evidence } = document
  const names = [
    ...new Set([
      ...action.resources.map(({ environment }) => environment),
      ...(evidence.reaches ?? []).flatMap(({ environments }) => environments),
    ]),
  ]
  const worst = names.map(kindOf).toSorted(byDanger)[0] ?? 'production'
  return (
    <div className={`band band-${worst}`}>
      <span>
        {names.map((name) => (
          <EnvironmentTag key={name} name={name} />
        ))}{' '}
        {safe(action.region)} · account {accountWords(safe(action.account))}
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

/** Strictest first; reads only where there is nothing else. */
function effectsOf({ action, evidence }: ReviewDocument): Effect[] {
  const found = (evidence.innerCalls ?? []).flatMap((inner) => inner.effects)
  const all = new Set<Effect>([...action.effects, ...evidence.addedEffects, ...found])
  const known = strictestFirst([...all])
  const acts = known.filter((effect) => effect !== 'read' && effect !== 'list')
  return acts.length > 0 ? acts : known
}

const RESOURCES_SHOWN = 10

function Resources({ document }: { readonly document: ReviewDocument }) {
  const all = [...new Map(document.action.resources.map((one) => [one.arn, one])).values()]
  const row = ({ arn, resolved }: (typeof all)[number]) => (
    <li key={arn}>
      <Name text={arn} />
      {!resolved && <span className="warn"> wider than known: treated as production</span>}
    </li>
  )
  return (
    <>
      <ul className="plain">{all.slice(0, RESOURCES_SHOWN).map(row)}</ul>
      {all.length > RESOURCES_SHOWN && (
        <details>
          <summary>{all.length - RESOURCES_SHOWN} more resources</summary>
          <ul className="plain">{all.slice(RESOURCES_SHOWN).map(row)}</ul>
        </details>
      )}
    </>
  )
}

/** What it reaches beyond the things it names. */
function Warnings({ document }: { readonly document: ReviewDocument }) {
  const { action, evidence } = document
  const words = [
    ...(action.ownLimbs ?? []).map((limb) => `touches the gate itself: ${limb}`),
    ...(action.outside ?? []).map((account) => `reaches outside of your accounts: ${account}`),
    ...(evidence.wider ?? []),
    ...(evidence.taggedProduction ? ['a tag says that it is production'] : []),
    ...(evidence.content === undefined ? [] : [evidence.content]),
  ]
  if (words.length === 0) return null
  return (
    <ul className="notice notice-warn plain">
      {words.map((each) => (
        <li key={each}>{safe(each)}</li>
      ))}
    </ul>
  )
}

function Change({ document }: { readonly document: ReviewDocument }) {
  const { action, evidence } = document
  return (
    <section aria-label="What will be sent" className="columns">
      {evidence.before && (
        <div>
          <h2>Before</h2>
          <Json value={evidence.before} />
        </div>
      )}
      <div>
        <h2>{evidence.before ? 'Will be sent' : 'With'}</h2>
        {(action.statements ?? []).map(({ at, says, unread }) => (
          <p key={at}>
            <code>{safe(at)}</code> {safe(says)}
            {unread && <span className="warn"> not read whole: {safe(unread)}</span>}
          </p>
        ))}
        <Json value={action.parameters} />
      </div>
    </section>
  )
}

function Asked({
  document,
  request,
  reviews,
}: {
  readonly document: ReviewDocument
  readonly request: ShownRequest
  readonly reviews: FullRequest['reviews']
}) {
  const { context, history } = document
  const signed = reviews.filter(({ verdict }) => verdict === 'approve').length
  return (
    <section aria-label="Who asks, and why you">
      <dl className="facts-list">
        <dt>Asked by</dt>
        <dd>
          {safe(context.agent)} for <strong>{safe(context.operator)}</strong>, who may not approve ·{' '}
          <Link to={toSession(document.session)}>session</Link> · role {safe(context.role)} ·
          isolation {context.isolation} · <Time at={request.openedAt} />
        </dd>
        <dt>Before this</dt>
        <dd>
          {plural(history.reads, 'read')}, {plural(history.writes, 'write')}, {history.refused}{' '}
          refused
        </dd>
        <dt>Why you</dt>
        <dd>
          {safe(document.reason)}{' '}
          {document.policies.map((policy) => (
            <code key={policy}>{safe(policy)} </code>
          ))}
        </dd>
        <dt>Needs</dt>
        <dd>
          {requirementWords(document.requirement)}{' '}
          <span className="quiet">({signed === 0 ? 'nobody has signed' : `${signed} signed`})</span>
        </dd>
      </dl>
      <Claim who="The agent" text={document.agentSays} />
    </section>
  )
}

function Folds({ document, shown }: { readonly document: ReviewDocument; readonly shown: string }) {
  return (
    <section aria-label="Details" className="folds">
      <details>
        <summary>What exactly is signed</summary>
        <p>
          The digest <Copied text={document.digest} whole /> of this action, its evidence, session,
          role and epoch {document.epoch}; and the hash <Copied text={shown} whole /> of the
          document that this page shows. Both were made again in this browser from the document
          below.
        </p>
      </details>
      <details>
        <summary>IAM actions it needs</summary>
        <ul className="plain">
          {document.action.iamActions.map((action) => (
            <li key={action}>
              <Name text={action} />
            </li>
          ))}
        </ul>
      </details>
      <details>
        <summary>The review document</summary>
        <Json value={document} />
      </details>
    </section>
  )
}
