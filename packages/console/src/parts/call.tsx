// One call as a reviewer reads it: what it is, what it touches and what that holds, what it makes others do,
// what will be sent. Of a request by itself, or of a step of a plan.
import type { Action, Effect } from '@seconder/gateway/describe/action'
import type { Evidence } from '@seconder/gateway/resolve/evidence'
import { BlastGraph } from './blast-graph.tsx'
import { EffectMark, strictestFirst } from './effect-mark.tsx'
import { FindingsTable } from './findings-table.tsx'
import { InnerCalls } from './inner-calls.tsx'
import { Json, Name, Sentence, safe } from './untrusted.tsx'

export interface Part {
  readonly action: Action
  readonly evidence: Evidence
  readonly summary: string
}

/** The head of a call: its effects, operation, resources and the one sentence. */
export function CallHead({ part, level }: { readonly part: Part; readonly level: 'h1' | 'h3' }) {
  const Heading = level
  return (
    <header className="request-head">
      <Heading>
        {effectsOf(part).map((effect) => (
          <EffectMark key={effect} effect={effect} />
        ))}{' '}
        <code>{safe(part.action.operation)}</code>
      </Heading>
      <Resources part={part} />
      <p className="summary">
        <Sentence text={part.summary} />
      </p>
    </header>
  )
}

interface CallFactsProps {
  readonly part: Part
  /** True of a call that was made. */
  readonly isSent?: boolean
}

/** What was found about it, and what will be sent. */
export function CallFacts({ part, isSent = false }: CallFactsProps) {
  const { action, evidence } = part
  return (
    <>
      <Warnings part={part} />
      <section aria-label="Blast radius">
        <FindingsTable findings={evidence.findings} />
        <BlastGraph operation={action.operation} findings={evidence.findings} />
        <ul className="plain">
          {evidence.couldNotLook.map((words) => (
            <li key={words} className="warn">
              could not look: <Sentence text={words} />
            </li>
          ))}
        </ul>
      </section>
      <InnerCalls part={part} />
      <Change part={part} isSent={isSent} />
    </>
  )
}

/** Every environment that it touches or reaches. */
export function environmentsOf({ action, evidence }: Part): string[] {
  const reached = (evidence.reaches ?? []).flatMap(({ environments }) => environments)
  return [...new Set([...action.resources.map(({ environment }) => environment), ...reached])]
}

/** Strictest first; reads only where there is nothing else. */
function effectsOf({ action, evidence }: Part): Effect[] {
  const found = (evidence.innerCalls ?? []).flatMap((inner) => inner.effects)
  const all = new Set<Effect>([...action.effects, ...evidence.addedEffects, ...found])
  const known = strictestFirst([...all])
  const acts = known.filter((effect) => effect !== 'read' && effect !== 'list')
  return acts.length > 0 ? acts : known
}

const RESOURCES_SHOWN = 10

function Resources({ part }: { readonly part: Part }) {
  const all = [...new Map(part.action.resources.map((one) => [one.arn, one])).values()]
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
function Warnings({ part: { action, evidence } }: { readonly part: Part }) {
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
        <li key={each}>
          <Sentence text={each} />
        </li>
      ))}
    </ul>
  )
}

function Change({ part: { action, evidence }, isSent }: Required<CallFactsProps>) {
  return (
    <section aria-label="What will be sent" className="columns">
      {evidence.before && (
        <div>
          <h2>Before</h2>
          <Json value={evidence.before} />
        </div>
      )}
      <div>
        <h2>{isSent ? 'Was sent' : evidence.before ? 'Will be sent' : 'With'}</h2>
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
