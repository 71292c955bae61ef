// Makes a new passkey in this browser, and gets its one line from the gate. The line is no right: it counts
// when two members have signed it. Source: https://www.w3.org/TR/webauthn-3/#sctn-createCredential
import { GateError, post } from './api.ts'
import { base64url, bytesOf } from './passkey.ts'

export interface MadePasskey {
  /** `passkey RPID CREDENTIAL COSE`. */
  readonly passkey: string
  readonly fingerprint: string
}

interface CreationOptions {
  readonly challenge: string
  readonly rp: PublicKeyCredentialRpEntity
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly pubKeyCredParams: PublicKeyCredentialParameters[]
  readonly timeout?: number
  readonly authenticatorSelection?: AuthenticatorSelectionCriteria
}

/** Errors: GateError of the gate; `not_made` where the person or the browser did not. */
export async function makePasskey(name: string): Promise<MadePasskey> {
  const options = await post<CreationOptions>('/api/passkeys/options', { name })
  let made: Credential | null
  try {
    made = await navigator.credentials.create({
      publicKey: {
        ...options,
        attestation: 'none',
        challenge: bytesOf(options.challenge),
        user: { ...options.user, id: bytesOf(options.user.id) },
      },
    })
  } catch (cause) {
    throw notMade((cause as Error).message)
  }
  if (!(made instanceof PublicKeyCredential)) throw notMade('the browser made no passkey')
  const response = made.response as AuthenticatorAttestationResponse
  return post('/api/passkeys', {
    id: made.id,
    response: {
      clientDataJSON: base64url(response.clientDataJSON),
      attestationObject: base64url(response.attestationObject),
    },
  })
}

function notMade(why: string): GateError {
  return new GateError(0, 'not_made', `no passkey was made: ${why}`, 'try again')
}
