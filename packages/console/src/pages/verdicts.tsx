// The three verdicts. Each is a fresh signature over the statement of this very act: the digest, the
// document as shown, once. Approve has no key of its own on the keyboard.
import { COMMENT_CHARS_MAX } from '@seconder/gateway/review/words'
import { useId, useState } from 'react'
import type { GateFacts, ShownRequest } from '../gate/api.ts'
import type { CheckedAny } from '../gate/checked-request.ts'
import { useIdentity } from '../gate/identity.ts'
import { sendReview, type Verdict } from '../gate/reviewing.ts'
import { useSigning } from '../gate/use-signing.ts'
import { Copied } from '../parts/copied.tsx'
import { Failure } from '../parts/notice.tsx'
import { absoluteTime, shortId } from '../parts/words.ts'

interface VerdictsProps {
  readonly checked: CheckedAny
  readonly request: ShownRequest
  readonly facts: GateFacts
  readonly reload: () => void
}

export function Verdicts(props: VerdictsProps) {
  const { request, checked } = props
  const identity = useIdentity()
  if (request.state !== 'pending') return null
  const { person, hasPasskey } = identity
  if (person === null || !hasPasskey) return <ByCommand request={request} />
  if (person === checked.document.context.operator) {
    return (
      <p className="notice">
        You are the operator of this session: its requests are for others to answer.
      </p>
    )
  }
  if (checked.document.context.instigators?.includes(person)) {
    return <p className="notice">You sent this task: what comes of it is for others to answer.</p>
  }
  return <Form {...props} person={person} />
}

function ByCommand({ request }: { readonly request: ShownRequest }) {
  const id = request.requestId
  return (
    <section className="verdicts" aria-label="Your answer">
      <p>Answer with your key, in a terminal:</p>
      {['approve', 'request-changes', 'deny'].map((verb) => (
        <p key={verb}>
          <Copied whole text={`seconder ${verb} ${id} --ssh-key ~/.ssh/id_ed25519`} />
        </p>
      ))}
    </section>
  )
}

interface FormProps extends VerdictsProps {
  readonly person: string
}

function Form({ checked, request, facts, reload, person }: FormProps) {
  const [comment, setComment] = useState('')
  const { isBusy, error, sign } = useSigning(reload)
  const field = useId()
  const answer = (verdict: Verdict) =>
    sign(() => sendReview({ checked, facts, verdict, comment, reviewer: person }))
  const needsWords = comment.trim() === ''
  return (
    <section className="verdicts" aria-label="Your answer">
      <label htmlFor={field}>
        Comment <span className="quiet">(goes to the agent as your words)</span>
      </label>
      <textarea
        id={field}
        value={comment}
        maxLength={COMMENT_CHARS_MAX}
        rows={2}
        onChange={(event) => setComment(event.target.value)}
      />
      <div className="buttons">
        <button
          type="button"
          disabled={isBusy || needsWords}
          title={needsWords ? 'write what should change' : undefined}
          onClick={() => answer('request_changes')}
        >
          Request changes …
        </button>
        <button type="button" disabled={isBusy} onClick={() => answer('deny')}>
          Deny …
        </button>
        <button
          type="button"
          className="primary end"
          disabled={isBusy}
          onClick={() => answer('approve')}
        >
          Sign with passkey …
        </button>
      </div>
      <p className="quiet small">
        You sign {shortId(checked.document.digest)}: this page, this action, once, before{' '}
        {absoluteTime(request.expiresAt)}. Each answer asks for your passkey.
      </p>
      {error && <Failure error={error} />}
    </section>
  )
}
