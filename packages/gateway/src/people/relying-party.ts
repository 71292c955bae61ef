// Whose passkeys count, and on which pages: from the configuration, else the console's own address under the
// name `localhost`, since a passkey belongs to a name and never to an address. Each change is in the ledger.
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
  if (configured === undefined) {
    return { rpId: 'localhost', origins: [`http://localhost:${new URL(consoleUrl).port}`] }
  }
  const { origins, rpId } = configured
  return { origins, rpId: rpId ?? new URL(origins[0] ?? consoleUrl).hostname }
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
