// The inbox: what waits for a person, worst first, then oldest, by session; live.
import { useCallback, useMemo } from 'react'
import type { ListedRequest } from '../gate/api.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { EffectMark, strictestFirst, strictness } from '../parts/effect-mark.tsx'
import { EnvironmentTag } from '../parts/environment-tag.tsx'
import { Link } from '../parts/link.tsx'
import { useMore } from '../parts/more.tsx'
import { Empty, Failure, Loading } from '../parts/notice.tsx'
import { Time } from '../parts/time.tsx'
import { Sentence, safe } from '../parts/untrusted.tsx'
import { plural, shortId } from '../parts/words.ts'
import { go, toInbox, toRequest, toSession } from '../route.ts'

const STATES = ['pending', 'approved', 'denied', 'changes_requested', 'expired', 'cancelled', 'all']
const CONCERNS = new Set(['request-opened', 'request-closed', 'review', 'grant-made', 'intent'])
export function Inbox({ state, find }: { readonly state: string; readonly find: string }) {
  const concerns = useCallback((event: GateEvent) => CONCERNS.has(event.type), [])
  const { limit, more } = useMore()
  const query = state === 'all' ? '' : `&state=${encodeURIComponent(state)}`
  const { value, error, reload } = useLoaded<{ requests: ListedRequest[]; next: string | null }>(
    `/api/requests?limit=${limit}${query}`,
    concerns,
  )
  const groups = useMemo(() => grouped(value?.requests ?? [], find), [value, find])
  return (
    <>
      <header className="page-head">
        <h1>{state === 'pending' ? 'Waiting for a second person' : 'Requests'}</h1>
        <Filters state={state} find={find} />
      </header>
      {error && <Failure error={error} retry={reload} />}
      {!value && !error && <Loading what="requests" />}
      {value && groups.length === 0 && <Nothing state={state} find={find} />}
      {groups.map((group) => (
        <Group key={group.sessionId} group={group} />
      ))}
      {more(value?.next)}
    </>
  )
}

function Filters({ state, find }: { readonly state: string; readonly find: string }) {
  return (
    <div className="filters">
      <label>
        State{' '}
        <select value={state} onChange={(event) => go(toInbox(event.target.value, find))}>
          {STATES.map((name) => (
            <option key={name} value={name}>
              {name.replace('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <label>
        Find{' '}
        <input
          type="search"
          data-find=""
          value={find}
          placeholder="operation, operator, id"
          onChange={(event) => go(toInbox(state, event.target.value), true)}
        />
      </label>
    </div>
  )
}

function Nothing({ state, find }: { readonly state: string; readonly find: string }) {
  if (find !== '') return <Empty>Nothing here has “{safe(find)}” in it.</Empty>
  if (state !== 'pending') return <Empty>No request is in this state.</Empty>
  return (
    <Empty>
      <p>
        <strong>Nothing waits.</strong> Reads pass by themselves; what an agent wants to change in
        production comes here, and this page shows it the moment it does.
      </p>
      <p>
        No agent yet? <code>seconder session open --ssh-key KEY</code> gives one its keys.
      </p>
    </Empty>
  )
}

interface RequestGroup {
  readonly sessionId: string
  readonly operator: string
  readonly requests: readonly ListedRequest[]
}

function grouped(requests: readonly ListedRequest[], find: string): RequestGroup[] {
  const words = find.toLowerCase()
  const found = requests.filter(({ operation, operator, requestId }) =>
    `${operation} ${operator} ${requestId}`.toLowerCase().includes(words),
  )
  const groups = new Map<string, ListedRequest[]>()
  for (const request of found.toSorted(worstThenOldest)) {
    const group = groups.get(request.sessionId)
    if (group) group.push(request)
    else groups.set(request.sessionId, [request])
  }
  return [...groups].map(([sessionId, all]) => ({
    sessionId,
    operator: all[0]?.operator ?? '',
    requests: all,
  }))
}

function worstThenOldest(left: ListedRequest, right: ListedRequest): number {
  return rank(right) - rank(left) || left.openedAt.localeCompare(right.openedAt)
}

function rank({ effects }: ListedRequest): number {
  return strictness(strictestFirst(effects)[0] ?? 'unknown')
}

function Group({ group }: { readonly group: RequestGroup }) {
  return (
    <section className="group" aria-label={`Session of ${safe(group.operator)}`}>
      <h2>
        For {safe(group.operator)} ·{' '}
        <Link to={toSession(group.sessionId)}>session {shortId(group.sessionId)}</Link>{' '}
        <span className="quiet">{plural(group.requests.length, 'request')}</span>
      </h2>
      <ul className="rows">
        {group.requests.map((request) => (
          <li key={request.requestId}>
            <Link to={toRequest(request.requestId)} className="row">
              <span className="row-what">
                {request.environments.map((name) => (
                  <EnvironmentTag key={name} name={name} />
                ))}{' '}
                <EffectMark effect={strictestFirst(request.effects)[0] ?? 'unknown'} />{' '}
                <code>{safe(request.operation)}</code>
              </span>
              <span className="row-summary">
                <Sentence text={request.summary} />
              </span>
              <span className="row-when">
                {request.state === 'pending' ? (
                  <>
                    needs {request.needs} · asked <Time at={request.openedAt} /> · expires{' '}
                    <Time at={request.expiresAt} />
                  </>
                ) : (
                  <>
                    {request.state.replace('_', ' ')}
                    {request.closedBy ? ` by ${safe(request.closedBy)}` : ''} ·{' '}
                    <Time at={request.openedAt} />
                  </>
                )}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
