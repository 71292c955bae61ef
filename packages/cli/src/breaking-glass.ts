// Signs that an operator goes ahead alone, and that somebody else has looked at it afterwards.
import type { FullBreakGlass, ShownBreakGlass } from '@seconder/gateway/api/break-glass'
import {
  type CheckedAccount,
  checkGlass,
  type GlassCall,
} from '@seconder/gateway/break-glass/account'
import {
  AFTER_REVIEW_NAMESPACE,
  BREAK_GLASS_NAMESPACE,
  type GoingAhead,
} from '@seconder/gateway/break-glass/statement'
import { CommandFailure } from './failure.ts'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import type { Signer } from './signing.ts'

export async function openBreakGlass(
  client: GateClient,
  signer: Signer,
  { effects, resources, ...asked }: GoingAhead,
): Promise<ShownBreakGlass> {
  const { gate, epoch } = await client.facts()
  const statement = {
    type: 'seconder-break-glass@v1',
    gate,
    epoch,
    ...asked,
    effects: [...effects],
    resources: [...resources],
    ...signedBy(signer),
  }
  return client.post('/api/break-glass', await signer.sign(statement, BREAK_GLASS_NAMESPACE))
}

export interface CheckedGlass {
  readonly full: FullBreakGlass
  readonly account: CheckedAccount
  /** What was kept of each call, by its effect. */
  readonly calls: ReadonlyMap<string, GlassCall>
}

/** Reads one with all that was done under it, and hashes every part again. Throws where one does not hold. */
export async function readBreakGlass(client: GateClient, id: string): Promise<CheckedGlass> {
  const { gate } = await client.facts()
  const full = await client.get<FullBreakGlass>(`/api/break-glass/${encodeURIComponent(id)}`)
  try {
    return { full, ...checkGlass(full, gate) }
  } catch (cause) {
    throw new CommandFailure(
      'document_mismatch',
      (cause as Error).message,
      'tell whoever runs the gate',
    )
  }
}

export async function reviewBreakGlass(
  client: GateClient,
  signer: Signer,
  { full, account }: CheckedGlass,
  comment: string,
): Promise<ShownBreakGlass> {
  const { gate } = await client.facts()
  const { id: breakGlass, used, checkpoint } = full
  const looked = { breakGlass, used, account: account.sha256, checkpoint, comment }
  const type = 'seconder-break-glass-review@v1'
  const statement = { type, gate, ...looked, ...signedBy(signer) }
  const act = await signer.sign(statement, AFTER_REVIEW_NAMESPACE)
  return client.post('/api/break-glass/reviews', act)
}

function signedBy({ person }: Signer) {
  return { signer: person, nonce: nonce(), signedAt: new Date().toISOString() }
}
