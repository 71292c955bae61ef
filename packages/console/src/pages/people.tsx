// People: who may review, of which teams, by which keys.
import { useCallback } from 'react'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { Empty, Failure, Loading } from '../parts/notice.tsx'
import { safe } from '../parts/untrusted.tsx'
import { Wide } from '../parts/wide.tsx'

interface ShownPerson {
  readonly name: string
  readonly teams: readonly string[]
  readonly addedAt: string
  readonly keys: readonly { readonly kind: string; readonly fingerprint: string }[]
}

export function People() {
  const concerns = useCallback((event: GateEvent) => /people|person/.test(event.type), [])
  const { value, error, reload } = useLoaded<{ people: ShownPerson[] }>('/api/people', concerns)
  if (error) return <Failure error={error} retry={reload} />
  if (!value) return <Loading what="people" />
  return (
    <>
      <h1>People</h1>
      <p>
        A change of people takes two of them: <code>seconder people --help</code>.
      </p>
      {value.people.length === 0 && <Empty>Nobody is known to this gate yet.</Empty>}
      <Wide label="People">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Teams</th>
              <th scope="col">Keys</th>
            </tr>
          </thead>
          <tbody>
            {value.people.map(({ name, teams, keys }) => (
              <tr key={name}>
                <th scope="row">{safe(name)}</th>
                <td>{teams.map(safe).join(', ') || '–'}</td>
                <td>
                  {keys.map(({ kind, fingerprint }) => (
                    <div key={fingerprint}>
                      {kind} <code>{fingerprint}</code>
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </>
  )
}
