// Signs that an operator goes ahead alone, and that somebody else has looked at it afterwards.
import type { ShownBreakGlass } from '@seconder/gateway/api/break-glass'
import {
  AFTER_REVIEW_NAMESPACE,
  BREAK_GLASS_NAMESPACE,
} from '@seconder/gateway/break-glass/statement'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import type { Signer } from './signing.ts'

export interface GoingAhead {
  readonly session: string
  readonly reason: string
  readonly effects: readonly string[]
  readonly resources: readonly string[]
  readonly minutes: number
  readonly effectsMax: number
}

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

export async function reviewBreakGlass(
  client: GateClient,
  signer: Signer,
  looked: { readonly breakGlass: string; readonly used: number; readonly comment: string },
): Promise<ShownBreakGlass> {
  const { gate } = await client.facts()
  const type = 'seconder-break-glass-review@v1'
  const statement = { type, gate, ...looked, ...signedBy(signer) }
  const act = await signer.sign(statement, AFTER_REVIEW_NAMESPACE)
  return client.post('/api/break-glass/reviews', act)
}

function signedBy({ person }: Signer) {
  return { signer: person, nonce: nonce(), signedAt: new Date().toISOString() }
}
