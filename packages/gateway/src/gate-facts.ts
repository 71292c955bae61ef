// What a gate tells of itself to whoever reaches it: who it is, where, and under which epoch.
import type { Config } from './config.ts'
import type { ActiveEpoch } from './epoch/active.ts'
import type { Foundation } from './foundation.ts'
import type { Gate, GateFacts } from './gate.ts'
import type { ConnectCa } from './receive/connect/connect-door.ts'

export async function gateFacts(
  {
    store,
    people,
    refusing,
  }: Pick<Gate, 'store' | 'people'> & { readonly refusing: string | null },
  options: Pick<Foundation, 'ledger' | 'gateId' | 'verifierKey'> & { readonly config: Config },
  ca: ConnectCa,
  { epoch, endpoint }: { readonly epoch: ActiveEpoch; readonly endpoint: string },
): Promise<GateFacts> {
  const { size, rootHash } = options.ledger.checkpoint()
  return {
    ...ca,
    gate: options.gateId,
    epoch: epoch.number,
    version: (await store.activeEpoch())?.version ?? '',
    refusing,
    roles: Object.keys(epoch.content.roles),
    endpoint,
    checkpoint: { size, root: Buffer.from(rootHash).toString('base64') },
    verifierKey: options.verifierKey,
    relyingParty: people.relyingParty(),
    identityProvider: options.config.oidc?.issuer ?? null,
  }
}
