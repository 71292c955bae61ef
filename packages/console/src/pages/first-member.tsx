// The first member of a gate that has nobody: with the one-time link of its operator, and a new passkey.
import { type FormEvent, useState } from 'react'
import type { GateError, GateFacts } from '../gate/api.ts'
import { makePasskey } from '../gate/enrolling.ts'
import { joinFirst } from '../gate/people.ts'
import { Link } from '../parts/link.tsx'
import { Failure } from '../parts/notice.tsx'
import { toPeople } from '../route.ts'
import { belongsTo } from './new-passkey.tsx'

export function FirstMember({ facts }: { readonly facts: GateFacts }) {
  const [name, setName] = useState('')
  const [team, setTeam] = useState('sre')
  const [isDone, setIsDone] = useState(false)
  const [error, setError] = useState<GateError | null>(null)
  const join = async (event: FormEvent) => {
    event.preventDefault()
    setError(null)
    try {
      const made = await makePasskey(name)
      const code = location.hash.slice(1)
      await joinFirst(facts, { name, teams: team === '' ? [] : [team], code, made })
      setIsDone(true)
    } catch (cause) {
      setError(cause as GateError)
    }
  }
  if (isDone) {
    return (
      <p className="notice good" role="status">
        ✓ You are the first member. <Link to={toPeople()}>People</Link>
      </p>
    )
  }
  const { rpId } = facts.relyingParty
  const isHere = belongsTo(location.hostname, rpId)
  return (
    <>
      <h1>The first member</h1>
      <p>
        This link works once, for ten minutes. Your browser makes a passkey and asks for it twice:
        to make it, and to sign that you join.
      </p>
      {!isHere && (
        <p className="notice notice-warn">
          Open this link under <code>{rpId}</code>, to which passkeys of this gate belong.
        </p>
      )}
      <form className="filters" onSubmit={join}>
        <label>
          Name{' '}
          <input
            value={name}
            required
            pattern="[a-z0-9][a-z0-9._\-]{0,63}"
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <label>
          Team <input value={team} onChange={(event) => setTeam(event.target.value)} />
        </label>
        <button type="submit" className="primary" disabled={!isHere}>
          Join with a new passkey …
        </button>
      </form>
      {error && <Failure error={error} />}
    </>
  )
}
