// Reads what is known of the gate from its own seconder.yaml, with the gate's own reader. Its credentials
// are not needed and never read.

import { configWithoutCredentials } from '@seconder/gateway/config-without-credentials'
import { ownAccounts, protectedRows } from '@seconder/gateway/epoch/protected'
import type { GateFacts } from './gate.ts'

/** `own`: the gate's role or user, where the operator names it. Errors: `invalid_config` of the gate. */
export function gateFacts(path: string, own: string | null): GateFacts {
  const config = configWithoutCredentials(path)
  return {
    configured: true,
    environments: config.environments,
    roles: Object.values(config.roles).map(({ arn }) => arn),
    own,
    protect: protectedRows(config, null).filter(({ arn }) => arn !== '-' && arn.startsWith('arn:')),
    accounts: ownAccounts(config, own),
  }
}
