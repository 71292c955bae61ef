// Signs changes of people with a passkey, as `seconder people` does with an SSH key.
import type { PeopleChange } from '@seconder/gateway/lib/people-change'
import { hash } from '../reports/node/crypto.ts'
import { type GateFacts, post } from './api.ts'
import type { MadePasskey } from './enrolling.ts'
import { signWithPasskey } from './passkey.ts'
import { nonce } from './reviewing.ts'

/** How long one statement may be on its way, in milliseconds. */
const STATEMENT_LIFE_MS = 5 * 60_000

export interface ShownChange {
  readonly changeId: string
  readonly change: PeopleChange
  readonly state: 'in force' | 'waiting'
  readonly signers: readonly string[]
  readonly needs: string | null
  readonly openedAt: string
}

interface Signing {
  readonly facts: GateFacts
  readonly signer: string
}

/** Errors: GateError of the gate, `not_signed`. */
export async function signChange(change: PeopleChange, by: Signing): Promise<ShownChange> {
  const statement = {
    type: 'seconder-people@v1',
    gate: by.facts.gate,
    change,
    signer: by.signer,
    nonce: nonce(),
    expiresAt: new Date(Date.now() + STATEMENT_LIFE_MS).toISOString(),
  }
  const { rpId } = by.facts.relyingParty
  return post('/api/people/changes', await signWithPasskey(statement, rpId))
}

interface FirstMember {
  readonly name: string
  readonly teams: readonly string[]
  /** From the link in the gate's own file. */
  readonly code: string
  readonly made: MadePasskey
}

/** Errors: GateError of the gate, `not_signed`. */
export async function joinFirst(
  facts: GateFacts,
  { name, teams, code, made }: FirstMember,
): Promise<void> {
  const statement = {
    type: 'seconder-first-member@v1',
    gate: facts.gate,
    codeSha256: hash('sha256', code, 'hex'),
    change: { kind: 'add-person', person: name, teams, keys: [made.passkey], identities: [] },
    nonce: nonce(),
  }
  const [, rpId = '', credentialId = ''] = made.passkey.split(' ')
  await post('/api/people/first', await signWithPasskey(statement, rpId, credentialId))
}
