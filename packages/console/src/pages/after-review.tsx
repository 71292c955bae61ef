// Who has looked at what was done under a break-glass, and the form of whoever looks now. Signing is by passkey,
// over the account of this page; the operator of it has no form.
import type { CheckedAccount } from '@seconder/gateway/break-glass/account'
import { COMMENT_CHARS_MAX } from '@seconder/gateway/review/words'
import { useId, useState } from 'react'
import type { GateFacts } from '../gate/api.ts'
import { type FullBreakGlass, signAfterReview } from '../gate/break-glass.ts'
import { useIdentity } from '../gate/identity.ts'
import { useSigning } from '../gate/use-signing.ts'
import { Claim } from '../parts/claim.tsx'
import { Copied } from '../parts/copied.tsx'
import { AFTER_REVIEWERS } from '../parts/glass-banner.tsx'
import { Failure } from '../parts/notice.tsx'
import { safe } from '../parts/untrusted.tsx'
import { shortId } from '../parts/words.ts'

interface AfterReviewProps {
  readonly full: FullBreakGlass
  readonly account: CheckedAccount
  readonly state: FullBreakGlass['state']
  readonly facts: GateFacts
  readonly reload: () => void
}

export function AfterReview(props: AfterReviewProps) {
  const { reviews } = props.full
  return (
    <section aria-label="After-review">
      <h2>
        After-review: {reviews.length} of {AFTER_REVIEWERS} others have looked
      </h2>
      {reviews.map(({ reviewer, comment }) => (
        <Claim key={reviewer} who={safe(reviewer)} text={comment} isSigned />
      ))}
      <Now {...props} />
    </section>
  )
}

function Now(props: AfterReviewProps) {
  const { full, state, account } = props
  const { person, hasPasskey } = useIdentity()
  if (state === 'closed') return <p className="state state-approved">Two others have looked.</p>
  if (state === 'open') return <p>It can still be used. It is looked at when it has ended.</p>
  if (person === account.opened.operator)
    return <p className="notice">You went ahead: two others look at it.</p>
  if (full.reviews.some(({ reviewer }) => reviewer === person))
    return <p className="notice">You have looked. One more person must.</p>
  if (person !== null && hasPasskey) return <Form {...props} person={person} />
  const command = `seconder break-glass review ${full.id} --ssh-key ~/.ssh/id_ed25519 --comment "..."`
  return (
    <>
      <p>Sign with your key, in a terminal:</p>
      <p>
        <Copied whole text={command} />
      </p>
    </>
  )
}

function Form({ full, account, facts, reload, person }: AfterReviewProps & { person: string }) {
  const [comment, setComment] = useState('')
  const { isBusy, error, sign } = useSigning(reload)
  const field = useId()
  const looked = () =>
    sign(() => signAfterReview(full, account, comment.trim(), { facts, signer: person }))
  const needsWords = comment.trim() === ''
  return (
    <div className="after-review">
      <label htmlFor={field}>What you found</label>
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
          className="primary end"
          disabled={isBusy || needsWords}
          title={needsWords ? 'write what you found' : undefined}
          onClick={looked}
        >
          Sign that I looked, with passkey …
        </button>
      </div>
      <p className="quiet small">
        You sign {shortId(account.sha256)}: the account of all that this page shows, {full.used}{' '}
        calls. It approves nothing: it says that you have looked.
      </p>
      {error && <Failure error={error} />}
    </div>
  )
}
