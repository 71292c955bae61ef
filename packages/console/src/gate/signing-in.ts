// Signs in and out: a nonce of the gate's, signed by a passkey of whoever sits here. It lets this browser read;
// every answer is signed for itself.
import { type GateFacts, post } from './api.ts'
import { signWithPasskey } from './passkey.ts'

/** Who the gate says is signed in here. */
export interface Me {
  readonly name: string
  readonly teams: readonly string[]
  readonly keys: readonly { readonly kind: string }[]
  readonly expiresAt: string
}

/** Errors: GateError of the gate, `not_signed`. */
export async function signIn({ gate, relyingParty }: GateFacts): Promise<void> {
  const { nonce } = await post<{ nonce: string }>('/api/sign-ins/nonce', {})
  const statement = { type: 'seconder-sign-in@v1', gate, use: 'browser', nonce }
  await post('/api/sign-ins', await signWithPasskey(statement, relyingParty.rpId))
}

export async function signOut(): Promise<void> {
  await post('/api/sign-ins/end', {})
}
