// Break-glass as this browser reads and signs it: every part of what was done is hashed again here, and what
// is signed is over exactly that. Types are the gate's own.
import type { FullBreakGlass, ShownBreakGlass } from '@seconder/gateway/api/break-glass'
import {
  type CheckedAccount,
  checkGlass,
  type GlassCall,
} from '@seconder/gateway/break-glass/account'
import type { GoingAhead } from '@seconder/gateway/break-glass/statement'
import { type GateFacts, post } from './api.ts'
import { signWithPasskey } from './passkey.ts'
import { nonce } from './reviewing.ts'

export type { FullBreakGlass, ShownBreakGlass }

export interface BreakGlassPage {
  /** Whether the epoch in force knows it at all. */
  readonly isEnabled: boolean
  readonly breakGlass: readonly ShownBreakGlass[]
}

export type CheckedGlass =
  | {
      readonly ok: true
      readonly account: CheckedAccount
      /** By effect. */
      readonly calls: ReadonlyMap<string, GlassCall>
    }
  | { readonly ok: false; readonly why: string }

/** Not `ok` where the account is not of this break-glass and gate, or a call not the one that was made. */
export function checkedGlass(full: FullBreakGlass, { gate }: GateFacts): CheckedGlass {
  try {
    return { ok: true, ...checkGlass(full, gate) }
  } catch (cause) {
    return { ok: false, why: (cause as Error).message }
  }
}

/** What it is at this moment, which no event tells: time runs out by itself. */
export function stateAt(
  { state, until, used, effectsMax }: ShownBreakGlass,
  nowMs: number,
): ShownBreakGlass['state'] {
  const isOver = used >= effectsMax || new Date(until).getTime() <= nowMs
  return state === 'open' && isOver ? 'after-review' : state
}

interface Signing {
  readonly facts: GateFacts
  readonly signer: string
}

const signedNow = (signer: string) => ({
  signer,
  nonce: nonce(),
  signedAt: new Date().toISOString(),
})

/** Errors: GateError of the gate, `not_signed`. */
export async function goAhead(asked: GoingAhead, by: Signing): Promise<ShownBreakGlass> {
  const { gate, epoch, relyingParty } = by.facts
  const statement = { type: 'seconder-break-glass@v1', gate, epoch, ...asked }
  const act = await signWithPasskey({ ...statement, ...signedNow(by.signer) }, relyingParty.rpId)
  return post('/api/break-glass', act)
}

/** Signs over the account that this page shows, and nothing else. Errors: as above. */
export async function signAfterReview(
  { id: breakGlass, used, checkpoint }: FullBreakGlass,
  { sha256: account }: CheckedAccount,
  comment: string,
  by: Signing,
): Promise<ShownBreakGlass> {
  const { gate, relyingParty } = by.facts
  const type = 'seconder-break-glass-review@v1'
  const statement = { type, gate, breakGlass, used, account, checkpoint, comment }
  const act = await signWithPasskey({ ...statement, ...signedNow(by.signer) }, relyingParty.rpId)
  return post('/api/break-glass/reviews', act)
}
