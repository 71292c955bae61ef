// Who has not signed in reads nothing here, and is told the two ways to.
import { useState } from 'react'
import type { GateError, GateFacts } from '../gate/api.ts'
import { signIn } from '../gate/signing-in.ts'
import { Copied } from '../parts/copied.tsx'
import { Failure } from '../parts/notice.tsx'
import { safe } from '../parts/untrusted.tsx'
import { belongsTo } from './new-passkey.tsx'

export function SignIn({ facts }: { readonly facts: GateFacts }) {
  const [error, setError] = useState<GateError | null>(null)
  const { rpId, origins } = facts.relyingParty
  const isHere = belongsTo(location.hostname, rpId)
  const enter = async () => {
    setError(null)
    try {
      await signIn(facts)
      // Everything is loaded anew, as whoever this is.
      location.reload()
    } catch (cause) {
      setError(cause as GateError)
    }
  }
  return (
    <section aria-label="Sign in">
      <h1>Sign in</h1>
      <p>Members of this gate read here. Each answer takes a signature of its own.</p>
      {isHere ? (
        <button type="button" className="primary" onClick={enter}>
          Sign in with passkey …
        </button>
      ) : (
        <p className="notice">
          Passkeys of this gate belong to <code>{rpId}</code>:{' '}
          <a href={(origins[0] ?? '') + location.pathname}>open the console there</a>.
        </p>
      )}
      {facts.identityProvider !== null && (
        <p>
          <a href="/api/sign-ins/provider">Sign in through {safe(facts.identityProvider)}</a>
        </p>
      )}
      {error && <Failure error={error} />}
      <p>With an SSH key, in a terminal; then paste the link that it prints into this browser:</p>
      <p>
        <Copied whole text="seconder console open --ssh-key ~/.ssh/id_ed25519" />
      </p>
    </section>
  )
}
