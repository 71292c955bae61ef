// Who is signed in here, and the way out. It gives no right but to read.
import { type Identity, NOBODY } from '../gate/identity.ts'
import { type Me, signOut } from '../gate/signing-in.ts'
import { safe } from './untrusted.tsx'

export function identityOf(me: Me | undefined): Identity {
  if (!me) return NOBODY
  return { person: me.name, hasPasskey: me.keys.some(({ kind }) => kind === 'passkey') }
}

export function Who({ identity }: { readonly identity: Identity }) {
  if (identity.person === null) return null
  const leave = async () => {
    await signOut()
    location.reload()
  }
  return (
    <span className="who">
      {safe(identity.person)}{' '}
      <button type="button" onClick={leave}>
        Sign out
      </button>
    </span>
  )
}
