// Signs a statement with a passkey: the challenge is the SHA-256 of its canonical text, and the person
// must be verified. Source: https://www.w3.org/TR/webauthn-3/#sctn-getAssertion
import type { Json } from '@seconder/aws/call'
import { canonicalJson } from '@seconder/gateway/lib/canonical-json'
import type { Assertion } from '@seconder/ledger/assertion'
import { sha256 } from '@seconder/ledger/sha256'
import { GateError } from './api.ts'

/** As `POST /api/reviews` and its like take it: what a browser gives, no more. */
export interface PasskeyAct {
  readonly statement: string
  readonly assertion: { readonly id: string; readonly response: Assertion }
}

/** How long a person may take to answer the browser's question, in milliseconds. */
const ASKED_MS = 120_000

/** `credentialId` asks for that one. Errors: GateError `not_signed` where the person or the browser did not. */
export async function signWithPasskey(
  statement: object,
  rpId: string,
  credentialId?: string,
): Promise<PasskeyAct> {
  const text = canonicalJson(statement as unknown as Json)
  const challenge = new Uint8Array(32)
  sha256(new TextEncoder().encode(text), challenge, 0)
  const allowCredentials: PublicKeyCredentialDescriptor[] =
    credentialId === undefined ? [] : [{ type: 'public-key', id: bytesOf(credentialId) }]
  let credential: Credential | null
  try {
    credential = await navigator.credentials.get({
      publicKey: {
        ...{ challenge, rpId, allowCredentials },
        ...{ userVerification: 'required', timeout: ASKED_MS },
      },
    })
  } catch (cause) {
    throw notSigned((cause as Error).message)
  }
  if (!(credential instanceof PublicKeyCredential)) throw notSigned('the browser gave no passkey')
  const response = credential.response as AuthenticatorAssertionResponse
  return {
    statement: text,
    assertion: {
      id: credential.id,
      response: {
        authenticatorData: base64url(response.authenticatorData),
        clientDataJSON: base64url(response.clientDataJSON),
        signature: base64url(response.signature),
      },
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

export function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}
