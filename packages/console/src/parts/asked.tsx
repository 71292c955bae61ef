// Who asks, why this person is asked, what others said of the same before, and what is signed.
import type { ShownAgain } from '@seconder/gateway/review/again'
import type { DocumentFrame } from '@seconder/gateway/review/document'
import { requirementWords } from '@seconder/gateway/review/words'
import type { ShownReview } from '../gate/api.ts'
import { toRequest, toSession } from '../route.ts'
import { Claim } from './claim.tsx'
import { Copied } from './copied.tsx'
import { Link } from './link.tsx'
import { Time } from './time.tsx'
import { Json, Name, safe } from './untrusted.tsx'
import { plural, shortId, whyWords } from './words.ts'

interface AskedProps {
  readonly document: DocumentFrame
  readonly reviews: readonly ShownReview[]
}

export function Asked({ document, reviews }: AskedProps) {
  const { context, history } = document
  const signed = reviews.filter(({ verdict }) => verdict === 'approve').length
  return (
    <section aria-label="Who asks, and why you">
      <SaidBefore document={document} />
      <Again again={document.again ?? []} session={document.session} />
      <dl className="facts-list">
        <dt>Asked by</dt>
        <dd>
          {safe(context.agent)} for <strong>{safe(context.operator)}</strong>, who may not approve ·{' '}
          <Link to={toSession(document.session)}>session</Link> · role {safe(context.role)} ·
          isolation {context.isolation} · <Time at={document.openedAt} />
        </dd>
        {context.instigators && (
          <>
            <dt>Task sent by</dt>
            <dd>
              {context.instigators.map((name) => (
                <strong key={name}>{safe(name)} </strong>
              ))}
              who may not approve either
            </dd>
          </>
        )}
        <dt>Before this</dt>
        <dd>
          {plural(history.reads, 'read')}, {plural(history.writes, 'write')}, {history.refused}{' '}
          refused
        </dd>
        <dt>Why you</dt>
        <dd>
          {safe(whyWords(document.reason))}{' '}
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
      {context.task !== undefined && (
        <Claim who={`The task: ${safe(context.operator)}`} text={context.task} isSigned />
      )}
      <Claim who="The agent" text={document.agentSays} />
    </section>
  )
}

/** A denial that stands comes first; it is why one person more is needed. */
function SaidBefore({
  document: { denied = [], changesAsked = [] },
}: {
  readonly document: DocumentFrame
}) {
  const said = [
    ...denied.map((one) => ({ ...one, what: 'denied the same' })),
    ...changesAsked.map((one) => ({ ...one, what: 'asked this session for changes' })),
  ]
  if (said.length === 0) return null
  return (
    <ul className="notice notice-warn plain">
      {said.map(({ request, by, at, comment, what }) => (
        <li key={`${request} ${by} ${what}`}>
          <strong>{safe(by)}</strong> {what} <Time at={at} /> (
          <Link to={toRequest(request)}>{shortId(request)}</Link>)
          {comment === '' ? '' : `: “${safe(comment)}”`}
        </li>
      ))}
    </ul>
  )
}

interface AgainProps {
  readonly again: readonly ShownAgain[]
  readonly session: string
}

/** The other half of a delete and recreate: a warning, and no more. */
export function Again({ again, session }: AgainProps) {
  if (again.length === 0) return null
  return (
    <ul className="notice notice-warn plain">
      {again.map((one) => (
        <li key={`${one.request} ${one.resource}`}>
          <strong>Delete and recreate:</strong> <code>{safe(one.operation)}</code> of{' '}
          {one.session === session ? 'this session' : 'another session of the same operator'}{' '}
          {one.does === 'makes' ? 'makes again' : 'removes'} <Name text={one.resource} /> (
          <Link to={toRequest(one.request)}>{shortId(one.request)}</Link>, <Time at={one.at} />)
        </li>
      ))}
    </ul>
  )
}

interface SignedProps {
  readonly document: DocumentFrame
  readonly shown: string
  readonly iamActions: readonly string[]
}

export function SignedFolds({ document, shown, iamActions }: SignedProps) {
  return (
    <section aria-label="Details" className="folds">
      <details>
        <summary>What exactly is signed</summary>
        <p>
          The digest <Copied text={document.digest} whole /> of what is shown here, with its
          evidence, session, role and epoch {document.epoch}; and the hash{' '}
          <Copied text={shown} whole /> of the document that this page shows. Both were made again
          in this browser from the document below.
        </p>
      </details>
      <details>
        <summary>IAM actions it needs</summary>
        <ul className="plain">
          {iamActions.map((action) => (
            <li key={action}>
              <code>{safe(action)}</code>
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
