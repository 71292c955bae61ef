// Signs a statement with a passkey: the challenge is the SHA-256 of its canonical text, and the person
// must be verified. Source: https://www.w3.org/TR/webauthn-3/#sctn-getAssertion
import type { Json } from '@seconder/aws/call'
import { canonicalJson } from '@seconder/gateway/lib/canonical-json'
import type { AssertedAct } from '@seconder/gateway/lib/signed-act'
import { sha256 } from '@seconder/ledger/sha256'
import { GateError } from './api.ts'

/** How long a person may take to answer the browser's question, in milliseconds. */
const ASKED_MS = 120_000

/** Errors: GateError `not_signed` where the person or the browser did not. */
export async function signWithPasskey(statement: object, rpId: string): Promise<AssertedAct> {
  const text = canonicalJson(statement as unknown as Json)
  const challenge = new Uint8Array(32)
  sha256(new TextEncoder().encode(text), challenge, 0)
  let credential: Credential | null
  try {
    credential = await navigator.credentials.get({
      publicKey: { challenge, rpId, userVerification: 'required', timeout: ASKED_MS },
    })
  } catch (cause) {
    throw notSigned((cause as Error).message)
  }
  if (!(credential instanceof PublicKeyCredential)) throw notSigned('the browser gave no passkey')
  const response = credential.response as AuthenticatorAssertionResponse
  return {
    statement: text,
    credentialId: credential.id,
    assertion: {
      authenticatorData: base64url(response.authenticatorData),
      clientDataJSON: base64url(response.clientDataJSON),
      signature: base64url(response.signature),
    },
  }
}

function notSigned(why: string): GateError {
  return new GateError(0, 'not_signed', `nothing was signed: ${why}`, 'try again with your passkey')
}

export function base64url(bytes: ArrayBuffer): string {
  const text = String.fromCharCode(...new Uint8Array(bytes))
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
