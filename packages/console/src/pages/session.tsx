// A session: everything its agent did and asked, in order; reads folded, refusals and reviews open, each
// deed beside its outcome. And the list of sessions.
import { outcomeWords } from '@seconder/gateway/break-glass/words'
import type { Outcome } from '@seconder/gateway/execute/outcome'
import { useCallback, useMemo } from 'react'
import type { LedgerLine, LedgerPage, ShownSession } from '../gate/api.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { Copied } from '../parts/copied.tsx'
import { EffectMark } from '../parts/effect-mark.tsx'
import { Link } from '../parts/link.tsx'
import { useMore } from '../parts/more.tsx'
import { Empty, Failure, Loading } from '../parts/notice.tsx'
import { Time } from '../parts/time.tsx'
import { Name, safe } from '../parts/untrusted.tsx'
import { Wide } from '../parts/wide.tsx'
import { plural, shortId } from '../parts/words.ts'
import { toBreakGlass, toRequest, toSession } from '../route.ts'

export function Sessions() {
  const concerns = useCallback((event: GateEvent) => /session/.test(event.type), [])
  const { limit, more } = useMore('GET /api/sessions?before=ID')
  const { value, error, reload } = useLoaded<{ sessions: ShownSession[]; next: string | null }>(
    `/api/sessions?limit=${limit}`,
    concerns,
  )
  if (error) return <Failure error={error} retry={reload} />
  if (!value) return <Loading what="sessions" />
  const sorted = value.sessions.toSorted((a, b) => b.openedAt.localeCompare(a.openedAt))
  return (
    <>
      <h1>Sessions</h1>
      {sorted.length === 0 && (
        <Empty>
          No agent has had a session yet. <code>seconder session open --ssh-key KEY</code> opens
          one.
        </Empty>
      )}
      {sorted.length > 0 && (
        <Wide label="Sessions">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Session</th>
                <th scope="col">Agent</th>
                <th scope="col">Operator</th>
                <th scope="col">Role</th>
                <th scope="col">Opened</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((session) => (
                <tr key={session.sessionId}>
                  <th scope="row">
                    <Link to={toSession(session.sessionId)}>{shortId(session.sessionId)}</Link>
                  </th>
                  <td>{safe(session.agent)}</td>
                  <td>{safe(session.operator)}</td>
                  <td>{safe(session.role)}</td>
                  <td>
                    <Time at={session.openedAt} />
                  </td>
                  <td>
                    <SessionState session={session} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
      {more(value.next)}
    </>
  )
}

function SessionState({ session }: { readonly session: ShownSession }) {
  if (session.closedAt !== null) {
    return (
      <>
        closed <Time at={session.closedAt} />
      </>
    )
  }
  if (session.suspendedAt !== null) {
    return (
      <>
        <strong>■ suspended</strong>, its keys were used from elsewhere{' '}
        <Time at={session.suspendedAt} />
      </>
    )
  }
  const isOver = new Date(session.expiresAt).getTime() <= Date.now()
  return (
    <>
      {isOver ? 'expired ' : 'open, expires '}
      <Time at={session.expiresAt} />
    </>
  )
}

export function Session({ id }: { readonly id: string }) {
  const concerns = useCallback((event: GateEvent) => event.session === id, [id])
  const path = `/api/sessions/${encodeURIComponent(id)}/entries`
  const { value, error, reload } = useLoaded<LedgerPage>(path, concerns)
  const steps = useMemo(() => stepsOf(value?.entries ?? []), [value])
  if (error) return <Failure error={error} retry={reload} />
  if (!value) return <Loading what="the session" />
  const opened = value.entries.find(({ type }) => /session-opened$/.test(type))
  return (
    <>
      <h1>Session</h1>
      <p>
        <Copied text={id} whole />{' '}
        {opened && (
          <>
            {safe(String(opened['agent']))} for <strong>{safe(String(opened['operator']))}</strong>
          </>
        )}
      </p>
      {steps.length === 0 && <Empty>The ledger holds nothing of this session.</Empty>}
      <ol className="timeline">
        {steps.map((step) => (
          <Step key={step.lines[0]?.index} step={step} />
        ))}
      </ol>
      {value.next !== null && (
        <p className="quiet">Older entries are in the ledger: seconder ledger show</p>
      )}
    </>
  )
}

interface TimelineStep {
  readonly kind: 'reads' | 'entry' | 'deed'
  readonly lines: readonly LedgerLine[]
}

/** Reads that follow each other are one step; an intent and its outcomes are one step. */
function stepsOf(lines: readonly LedgerLine[]): TimelineStep[] {
  const steps: { kind: TimelineStep['kind']; lines: LedgerLine[] }[] = []
  const deeds = new Map<unknown, LedgerLine[]>()
  for (const line of lines) {
    const last = steps.at(-1)
    if (line.type === 'read' && last?.kind === 'reads') last.lines.push(line)
    else if (line.type === 'read') steps.push({ kind: 'reads', lines: [line] })
    else if (line.type === 'outcome' && deeds.has(line['effect'])) {
      deeds.get(line['effect'])?.push(line)
    } else if (line.type === 'intent') {
      const deed = [line]
      deeds.set(line['effect'], deed)
      steps.push({ kind: 'deed', lines: deed })
    } else steps.push({ kind: 'entry', lines: [line] })
  }
  return steps
}

function Step({ step }: { readonly step: TimelineStep }) {
  const [first, ...rest] = step.lines
  if (!first) return null
  if (step.kind === 'reads') {
    return (
      <li className="step step-read">
        <details>
          <summary>
            ○ {plural(step.lines.length, 'read')} <Time at={first.at} />
          </summary>
          <ul className="plain">
            {step.lines.map((line) => (
              <li key={line.index}>
                <code>{safe(String(line['operation']))}</code> <FirstResource line={line} />
              </li>
            ))}
          </ul>
        </details>
      </li>
    )
  }
  return (
    <li className={`step step-${first.type}`}>
      <Line line={first} />
      {rest.map((line) => (
        <div key={line.index} className="outcome">
          → {outcomeWords(line['outcome'] as Outcome)} · <Time at={line.at} />
        </div>
      ))}
    </li>
  )
}

const TITLE: Record<string, string> = {
  'session-opened': 'session opened',
  'child-session-opened': 'child session opened',
  'session-closed': 'session closed',
  'session-suspended': '■ session suspended: its keys were used from elsewhere',
  'session-resumed': 'session resumed with new keys',
  'request-opened': 'held for review',
  'request-closed': 'request closed',
  'grant-made': 'approved: may happen once',
  'grant-revoked': 'approval revoked',
  'plan-recording': 'plan begun',
  'plan-step': 'step of the plan',
  'plan-opened': 'plan held for review',
  'plan-approved': 'plan approved: each step may happen once',
  'plan-stopped': 'plan stopped',
  review: 'signed',
  denied: 'denied by policy',
  refused: 'refused',
  intent: 'done by the gate',
  'break-glass-opened': '■ break-glass opened: the operator goes ahead alone',
  'break-glass-reviewed': 'break-glass looked at',
  redacted: 'what was kept of a call was redacted',
}

function Line({ line }: { readonly line: LedgerLine }) {
  const { type } = line
  const request = line['request']
  const glass = line['breakGlass']
  const effects = Array.isArray(line['effects']) ? line['effects'] : []
  const names = ['reviewer', 'verdict', 'state', 'code', 'reason', 'from']
  const words = names.map((name) => line[name]).filter((word) => typeof word === 'string')
  return (
    <>
      <strong>{TITLE[type] ?? type}</strong>{' '}
      {effects.length > 0 && <EffectMark effect={String(effects.at(-1))} />}{' '}
      {typeof line['operation'] === 'string' && <code>{safe(line['operation'])}</code>}{' '}
      <FirstResource line={line} />{' '}
      {words.map((word) => safe(String(word)).replaceAll('_', ' ')).join(' · ')}{' '}
      {typeof request === 'string' && (
        <Link to={toRequest(request)} className="id">
          {shortId(request)}
        </Link>
      )}{' '}
      {typeof glass === 'string' && <Link to={toBreakGlass(glass)}>break-glass</Link>}{' '}
      <Time at={line.at} />
    </>
  )
}

function FirstResource({ line }: { readonly line: LedgerLine }) {
  const all = line['resources']
  if (!Array.isArray(all) || typeof all[0] !== 'string') return null
  return (
    <>
      <Name text={all[0]} />
      {all.length > 1 && <span className="quiet"> and {all.length - 1} more</span>}
    </>
  )
}
