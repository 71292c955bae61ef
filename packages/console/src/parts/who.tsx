// Who answers on this page: chosen, and proved by each signature. It is no sign-in and gives no right.
import { type Identity, NOBODY } from '../gate/identity.ts'
import { safe } from './untrusted.tsx'

export interface Member {
  readonly name: string
  readonly keys: readonly { readonly kind: string }[]
}

const KEPT = 'seconder-person'

export function identityOf(members: readonly Member[], chosen: string | null): Identity {
  const member = members.find(({ name }) => name === chosen)
  if (!member) return NOBODY
  return { person: member.name, hasPasskey: member.keys.some(({ kind }) => kind === 'passkey') }
}

export function keptPerson(): string | null {
  return localStorage.getItem(KEPT)
}

interface WhoProps {
  readonly members: readonly Member[]
  readonly identity: Identity
  readonly choose: (name: string | null) => void
}

export function Who({ members, identity, choose }: WhoProps) {
  const withPasskey = members.filter(({ keys }) => keys.some(({ kind }) => kind === 'passkey'))
  if (withPasskey.length === 0) return null
  return (
    <label className="who">
      I am{' '}
      <select
        value={identity.person ?? ''}
        onChange={({ target }) => {
          const name = target.value === '' ? null : target.value
          if (name === null) localStorage.removeItem(KEPT)
          else localStorage.setItem(KEPT, name)
          choose(name)
        }}
      >
        <option value="">not said</option>
        {withPasskey.map(({ name }) => (
          <option key={name} value={name}>
            {safe(name)}
          </option>
        ))}
      </select>
    </label>
  )
}
