// What a gate tells of itself: who it is, where and under which epoch, to whoever reaches it; how it stands, to people.
import { assumesRoles, type Config } from './config.ts'
import type { ActiveEpoch } from './epoch/active.ts'
import { type Observing, observingNow } from './epoch/observing.ts'
import { lookAsItself } from './execute/own-look.ts'
import type { Foundation } from './foundation.ts'
import type { Gate, GateFacts } from './gate.ts'
import type { ConnectCa } from './receive/connect/connect-door.ts'
import { StandingDesk, type StandingFacts } from './wall/standing.ts'
import type { Wall } from './wall/wall.ts'

export async function gateFacts(
  gate: Pick<Gate, 'store' | 'people' | 'observing'> & { readonly refusing: string | null },
  options: Pick<Foundation, 'ledger' | 'gateId' | 'verifierKey'> & { readonly config: Config },
  ca: ConnectCa,
  { epoch, endpoint }: { readonly epoch: ActiveEpoch; readonly endpoint: string },
): Promise<GateFacts> {
  const { store, people, refusing } = gate
  const { size, rootHash } = options.ledger.checkpoint()
  return {
    ...ca,
    gate: options.gateId,
    epoch: epoch.number,
    version: (await store.activeEpoch())?.version ?? '',
    refusing,
    roles: Object.keys(epoch.content.roles),
    observing: gate.observing(),
    endpoint,
    checkpoint: { size, root: Buffer.from(rootHash).toString('base64') },
    verifierKey: options.verifierKey,
    relyingParty: people.relyingParty(),
    identityProvider: options.config.oidc?.issuer ?? null,
  }
}

/** What of this epoch observes now. */
export function observingUnder(
  { content, observingSince }: ActiveEpoch,
  nowMs: number,
): readonly Observing[] {
  return observingNow(content.environments, observingSince, nowMs)
}

/** Who says how the gate stands. */
export function standingFor(
  { config, clock, own, wall }: Standing,
  facts: Pick<StandingFacts, 'epoch' | 'notices' | 'notify'>,
): StandingDesk {
  return new StandingDesk({
    ...{ own, clock, ...facts },
    assumesRoles: assumesRoles(config),
    places: () => wall.places,
    look: () => lookAsItself(config, clock, own),
  })
}

interface Standing extends Pick<Foundation, 'clock'> {
  readonly config: Config
  readonly own: string | null
  readonly wall: Wall
}
