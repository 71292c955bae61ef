// People: who may review, of which teams, by which keys; what waits for a second signature; a new passkey.
import type { PeopleChange } from '@seconder/gateway/lib/people-change'
import { changeWords } from '@seconder/gateway/lib/people-words'
import type { ShownAbsence } from '@seconder/gateway/notify/away'
import { useCallback } from 'react'
import type { GateFacts } from '../gate/api.ts'
import { useIdentity } from '../gate/identity.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { type ShownChange, signChange } from '../gate/people.ts'
import { useSigning } from '../gate/use-signing.ts'
import { Empty, Failure, Loading } from '../parts/notice.tsx'
import { Time } from '../parts/time.tsx'
import { Name, safe } from '../parts/untrusted.tsx'
import { Wide } from '../parts/wide.tsx'
import { absoluteTime } from '../parts/words.ts'
import { NewPasskey } from './new-passkey.tsx'

interface ShownPerson {
  readonly name: string
  readonly teams: readonly string[]
  readonly keys: readonly {
    readonly fingerprint: string
    readonly kind: string
    readonly showsPresence: boolean
  }[]
  readonly identities: readonly { readonly issuer: string; readonly subject: string }[]
}

interface PeoplePage {
  readonly people: readonly ShownPerson[]
  readonly changes: readonly ShownChange[]
}

export function People({ facts }: { readonly facts: GateFacts }) {
  const concerns = useCallback((event: GateEvent) => event.type.startsWith('people'), [])
  const { value, error, reload } = useLoaded<PeoplePage>('/api/people', concerns)
  const isAway = useCallback((event: GateEvent) => event.type === 'away', [])
  const { value: absent } = useLoaded<{ away: ShownAbsence[] }>('/api/away', isAway)
  if (error) return <Failure error={error} retry={reload} />
  if (!value) return <Loading what="people" />
  return (
    <>
      <h1>People</h1>
      <p>
        A change of people takes the signatures of two members, and never that of whoever gains by
        it. In a terminal: <code>seconder people --help</code>.
      </p>
      <Changes changes={value.changes} facts={facts} reload={reload} />
      {value.people.length === 0 ? (
        <Empty>
          Nobody is known to this gate yet. Its operator finds a one-time link in a file beside its
          state.
        </Empty>
      ) : (
        <Members people={value.people} away={absent?.away ?? []} />
      )}
      <NewPasskey facts={facts} />
    </>
  )
}

interface MembersProps {
  readonly people: readonly ShownPerson[]
  readonly away: readonly ShownAbsence[]
}

function Members({ people, away }: MembersProps) {
  return (
    <Wide label="Members">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Teams</th>
            <th scope="col">Keys</th>
          </tr>
        </thead>
        <tbody>
          {people.map(({ name, teams, keys, identities }) => (
            <tr key={name}>
              <th scope="row">
                {safe(name)}
                <Away absence={away.find(({ person }) => person === name)} />
              </th>
              <td>{teams.map(safe).join(', ') || '–'}</td>
              <td>
                {keys.map(({ kind, fingerprint, showsPresence }) => (
                  <div key={fingerprint}>
                    {kind} <code>{fingerprint}</code>
                    {showsPresence && <span className="quiet"> shows presence</span>}
                  </div>
                ))}
                {identities.map(({ issuer, subject }) => (
                  <div key={`${issuer} ${subject}`}>
                    {safe(subject)} at {safe(issuer)}
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  )
}

/** Who is told of requests instead; it gives nobody a right, and the row says so. */
function Away({ absence }: { readonly absence: ShownAbsence | undefined }) {
  if (!absence) return null
  return (
    <div className="away">
      <span className="warn">◔ away</span> until <Time at={absence.until} />{' '}
      <span className="quiet">({absoluteTime(absence.until)})</span>: {safe(absence.to)} is told
      instead, and signs as {safe(absence.to)} only
    </div>
  )
}

interface ChangesProps {
  readonly changes: readonly ShownChange[]
  readonly facts: GateFacts
  readonly reload: () => void
}

function Changes({ changes, facts, reload }: ChangesProps) {
  const { person, hasPasskey } = useIdentity()
  const { isBusy, error, sign } = useSigning(reload)
  if (changes.length === 0) return null
  return (
    <section aria-label="Changes that wait">
      <h2>Waiting for a signature</h2>
      <ul className="rows">
        {changes.map(({ changeId, change, signers, needs, openedAt }) => (
          <li key={changeId} className="change">
            <p>
              {/* Made here from the change that is signed, never taken from the gate. */}
              <strong>{safe(changeWords(change))}</strong> <span className="quiet">{changeId}</span>
            </p>
            {keysOf(change).map((key) => (
              <p key={key}>
                <Name text={key} />
              </p>
            ))}
            <p className="quiet">
              signed by {signers.map(safe).join(', ')} · {safe(needs ?? 'in force')} ·{' '}
              <Time at={openedAt} />
            </p>
            {person !== null && hasPasskey && !signers.includes(person) ? (
              <button
                type="button"
                disabled={isBusy}
                onClick={() => sign(() => signChange(change, { facts, signer: person }))}
              >
                Sign with passkey …
              </button>
            ) : (
              <code>seconder people sign {changeId}</code>
            )}
          </li>
        ))}
      </ul>
      {error && <Failure error={error} />}
    </section>
  )
}

function keysOf(change: PeopleChange): readonly string[] {
  if (change.kind === 'add-person') return change.keys
  return change.kind === 'add-key' ? [change.key] : []
}
