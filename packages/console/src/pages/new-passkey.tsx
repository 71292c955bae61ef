// A new passkey for oneself: made in this browser, then proposed as a key, which two others sign.
import { type FormEvent, useState } from 'react'
import type { GateError, GateFacts } from '../gate/api.ts'
import { type MadePasskey, makePasskey } from '../gate/enrolling.ts'
import { useIdentity } from '../gate/identity.ts'
import { Copied } from '../parts/copied.tsx'
import { Failure } from '../parts/notice.tsx'

interface NewPasskeyProps {
  readonly facts: GateFacts
}

export function NewPasskey({ facts }: NewPasskeyProps) {
  const identity = useIdentity()
  const [name, setName] = useState(identity.person ?? '')
  const [made, setMade] = useState<MadePasskey | null>(null)
  const [error, setError] = useState<GateError | null>(null)
  const { rpId } = facts.relyingParty
  const make = async (event: FormEvent) => {
    event.preventDefault()
    setError(null)
    try {
      setMade(await makePasskey(name))
    } catch (cause) {
      setError(cause as GateError)
    }
  }
  if (!belongsTo(location.hostname, rpId)) {
    return (
      <p className="notice">
        Passkeys of this gate belong to <code>{rpId}</code>: open the console there to make or use
        one.
      </p>
    )
  }
  return (
    <section aria-label="A new passkey">
      <h2>A new passkey</h2>
      <form className="filters" onSubmit={make}>
        <label>
          Your name here{' '}
          <input
            value={name}
            required
            pattern="[a-z0-9][a-z0-9._\-]{0,63}"
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <button type="submit">Make a passkey …</button>
      </form>
      {error && <Failure error={error} />}
      {made && <Made made={made} name={name} />}
    </section>
  )
}

function Made({ made, name }: { readonly made: MadePasskey; readonly name: string }) {
  return (
    <div className="notice" role="status">
      <p>
        It is made: <code>{made.fingerprint}</code>. It counts for nothing until two members have
        signed for it. Give one of them this line:
      </p>
      <p>
        <Copied whole text={made.passkey} />
      </p>
      <p>They run, where you are a member already, or are not:</p>
      <p>
        <Copied whole text={`seconder people key add ${name} '${made.passkey}'`} />
      </p>
      <p>
        <Copied whole text={`seconder people add ${name} --key '${made.passkey}' --team TEAM`} />
      </p>
    </div>
  )
}

/** Source: https://www.w3.org/TR/webauthn-3/#relying-party-identifier */
export function belongsTo(host: string, rpId: string): boolean {
  return host === rpId || host.endsWith(`.${rpId}`)
}
