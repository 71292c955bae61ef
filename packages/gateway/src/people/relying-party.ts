// Whose passkeys count, and on which pages: from the configuration, else the console's own address under the
// name `localhost`, since a passkey belongs to a name and never to an address. Each change is in the ledger.
import { assumesRoles, type Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { RelyingParty } from '../lib/passkey.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'
import type { ConsoleRow } from './people-config.ts'

/** `consoleUrl` is where the console listens. */
export function relyingPartyOf(
  configured: ConsoleRow | undefined,
  consoleUrl: string,
): RelyingParty {
  const { origins = [`http://localhost:${new URL(consoleUrl).port}`], rpId } = configured ?? {}
  return { origins, rpId: rpId ?? new URL(origins[0] ?? consoleUrl).hostname }
}

/**
 * Whether passkeys of this relying party count at the gate. Those of `localhost` may be asked for by a page of
 * any port of any machine, so real accounts take them only where the configuration says that everybody sits at
 * the gate's own machine.
 */
export function countsAt(
  config: Pick<Config, 'console' | 'upstream'>,
  { rpId, origins }: RelyingParty,
): boolean {
  const names = [rpId, ...origins.map((origin) => new URL(origin).hostname)]
  if (!names.some((name) => /(^|\.)localhost$/.test(name))) return true
  const { upstream } = config
  const isEmulated = upstream.endpoint !== null && !assumesRoles(config)
  return isEmulated || config.console?.singleMachine === true
}

/** Errors: `local_relying_party`, of whoever asks a passkey of `localhost` for something at real accounts. */
export function localRelyingParty(): GatewayError {
  return new GatewayError(
    'local_relying_party',
    'passkeys of `localhost` do not count at a gate of real accounts: a page of any port could ask for one',
    LOCAL_HELP,
  )
}

const LOCAL_HELP =
  'in seconder.yaml name the console: console: { origins: [https://HOST] }; ' +
  'where everybody sits at the machine of the gate: console: { singleMachine: true }; SSH keys count all the same'

/** What the operator of such a gate should know at its start. */
export function relyingPartyNotices(
  config: Pick<Config, 'console' | 'upstream'>,
  relyingParty: RelyingParty,
): string[] {
  if (countsAt(config, relyingParty)) return []
  return [`passkeys of \`localhost\` are not taken here; ${LOCAL_HELP}`]
}

/** The entry comes before the state: a crash between them leaves the same entry twice, which says the same. */
export async function recordRelyingParty(
  store: Store,
  recorder: Recorder,
  { rpId, origins }: RelyingParty,
): Promise<void> {
  const text = canonicalJson({ rpId, origins: [...origins] })
  if ((await store.meta('relying-party')) === text) return
  await recorder.record({ type: 'relying-party', rpId, origins })
  await store.setMeta('relying-party', text)
}
