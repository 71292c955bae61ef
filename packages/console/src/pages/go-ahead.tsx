// For an operator: sign with a passkey that a session of theirs may do this, to that, without a second person.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { type FormEvent, useCallback, useState } from 'react'
import { GateError, type GateFacts, type ShownSession } from '../gate/api.ts'
import { goAhead } from '../gate/break-glass.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { EffectMark } from '../parts/effect-mark.tsx'
import { Failure } from '../parts/notice.tsx'
import { safe } from '../parts/untrusted.tsx'
import { shortId } from '../parts/words.ts'
import { go, toBreakGlass } from '../route.ts'

/** As the gate takes them: `break-glass/statement.ts`. */
const MINUTES_MAX = 15
const CALLS_MAX = 10
const REASON_CHARS = { min: 10, max: 1_000 }
const EFFECTS = EFFECTS_BY_STRICTNESS.filter((name) => name !== 'read' && name !== 'list').reverse()

interface GoAheadProps {
  readonly facts: GateFacts
  readonly person: string
}

export function GoAhead({ facts, person }: GoAheadProps) {
  const concerns = useCallback((event: GateEvent) => /session/.test(event.type), [])
  const { value } = useLoaded<{ sessions: ShownSession[] }>('/api/sessions?limit=1000', concerns)
  const nowMs = Date.now()
  const own = (value?.sessions ?? []).filter(
    ({ operator, closedAt, expiresAt, parent }) =>
      operator === person &&
      closedAt === null &&
      parent === null &&
      new Date(expiresAt).getTime() > nowMs,
  )
  if (own.length === 0) return null
  return (
    <details className="folds">
      <summary>Go ahead alone, in a session of yours …</summary>
      <Form facts={facts} person={person} sessions={own} />
    </details>
  )
}

function Form({
  facts,
  person,
  sessions,
}: GoAheadProps & { readonly sessions: readonly ShownSession[] }) {
  const [error, setError] = useState<GateError | null>(null)
  const sign = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setError(null)
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '').trim()
    const asked = {
      session: text('session'),
      reason: text('reason'),
      effects: form.getAll('effect').map(String),
      resources: text('resources').split(/\s+/),
      minutes: Number(text('minutes')),
      effectsMax: Number(text('calls')),
    }
    try {
      if (asked.effects.length === 0)
        throw new GateError(0, 'not_signed', 'no effect is chosen', 'say what it may do')
      const { id } = await goAhead(asked, { facts, signer: person })
      go(toBreakGlass(id))
    } catch (cause) {
      setError(cause as GateError)
    }
  }
  return (
    <form onSubmit={sign}>
      <label className="stack-part">
        Session{' '}
        <select name="session">
          {sessions.map(({ sessionId, agent }) => (
            <option key={sessionId} value={sessionId}>
              {safe(agent)} · {shortId(sessionId)}
            </option>
          ))}
        </select>
      </label>
      <fieldset className="stack-part">
        <legend>May</legend>
        {EFFECTS.map((effect) => (
          <label key={effect}>
            <input type="checkbox" name="effect" value={effect} /> <EffectMark effect={effect} />
          </label>
        ))}
      </fieldset>
      <label className="stack-part">
        To these things, as whole ARNs, one a line
        <textarea name="resources" rows={3} required />
      </label>
      <label className="stack-part">
        Why nobody could be asked
        <textarea
          name="reason"
          rows={2}
          required
          minLength={REASON_CHARS.min}
          maxLength={REASON_CHARS.max}
        />
      </label>
      <p className="filters">
        <label>
          Minutes{' '}
          <input
            type="number"
            name="minutes"
            min={1}
            max={MINUTES_MAX}
            defaultValue={MINUTES_MAX}
          />
        </label>
        <label>
          Calls <input type="number" name="calls" min={1} max={CALLS_MAX} defaultValue={1} />
        </label>
      </p>
      <p>
        <button type="submit">Go ahead alone, with passkey …</button>{' '}
        <span className="quiet small">
          Everybody sees it on every page. Two others look at it afterwards.
        </span>
      </p>
      {error && <Failure error={error} />}
    </form>
  )
}
