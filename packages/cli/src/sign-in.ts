// Signs in at a gate: a nonce of the gate's, a signature over it, and what that gives for reading.
import type { JsonObject } from '@seconder/aws/call'
import { SIGN_IN_NAMESPACE } from '@seconder/gateway/people/sign-in'
import type { GateClient, Reading, SignedAct } from './gate-client.ts'

interface Signs {
  sign(statement: JsonObject, namespace: string): Promise<SignedAct>
}

export interface Link {
  readonly person: string
  readonly link: string
  readonly expiresAt: string
}

export interface ReadToken {
  readonly token: string
  readonly person: string
  readonly expiresAt: string
}

/** Signs in for one of the uses; each takes a nonce of the gate's. */
export async function signIn<T>(
  client: GateClient,
  signer: Signs,
  use: 'cli' | 'link',
): Promise<T> {
  const { gate } = await client.facts()
  const { nonce } = await client.post<{ nonce: string }>('/api/sign-ins/nonce', {})
  const statement = { type: SIGN_IN_NAMESPACE, gate, use, nonce }
  return client.post<T>('/api/sign-ins', await signer.sign(statement, SIGN_IN_NAMESPACE))
}

/** Reads as somebody whose key is at hand; the token stays in memory. */
export class SignedReading implements Reading {
  readonly #signer: Signs
  #token: ReadToken | null = null

  constructor(signer: Signs) {
    this.#signer = signer
  }

  async headers(client: GateClient, isRefused: boolean) {
    if (isRefused || this.#token === null) {
      this.#token = await signIn<ReadToken>(client, this.#signer, 'cli')
    }
    return { authorization: `Bearer ${this.#token.token}` }
  }
}
