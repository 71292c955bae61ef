// Chooses where the gate's own identity comes from, as seconder.yaml says. One place that lists the
// sources; nothing falls from one to the next.
import type { CredentialOrigin, UpstreamCredentials } from '../../config.ts'
import { randomId } from '../../lib/ids.ts'
import type { Sts } from '../assume-role.ts'
import { type CredentialSource, fixed, kept } from './credential-source.ts'
import { lentByInstance } from './instance.ts'
import { lentByProfile } from './profile.ts'
import { lentByWebIdentity } from './web-identity.ts'

/** Errors of its `current()`: `credentials_unavailable`. */
export function ownCredentials(
  origin: UpstreamCredentials | CredentialOrigin,
  sts: Sts,
  metadataUrl?: string,
): CredentialSource {
  if (!('from' in origin)) return fixed(origin)
  const sessionName = randomId('gate')
  switch (origin.from) {
    case 'profile':
      return kept(() => lentByProfile(origin.name, origin, sessionName, sts), sts.clock)
    case 'web-identity': {
      const named = { ...origin, sessionName: origin.sessionName ?? sessionName }
      return kept(() => lentByWebIdentity(named, sts), sts.clock)
    }
    case 'instance':
      return kept(() => lentByInstance(metadataUrl), sts.clock)
  }
}
