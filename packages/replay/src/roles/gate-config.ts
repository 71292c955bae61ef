// Reads what is known of the gate from its own seconder.yaml, with the gate's own reader. Its credentials
// are not needed and never read.

import { loadConfig } from '@seconder/gateway/config'
import { ownAccounts, protectedRows } from '@seconder/gateway/epoch/protected'
import type { GateFacts } from './gate.ts'

const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'audit',
  AWS_SECRET_ACCESS_KEY: 'audit',
  AWS_WEB_IDENTITY_TOKEN_FILE: '-',
  AWS_ROLE_ARN: '-',
}

/** `own`: the gate's role or user, where the operator names it. Errors: `invalid_config` of the gate. */
export function gateFacts(path: string, own: string | null): GateFacts {
  const config = loadConfig(path, NO_CREDENTIALS)
  return {
    configured: true,
    environments: config.environments,
    roles: Object.values(config.roles).map(({ arn }) => arn),
    own,
    protect: protectedRows(config, null).filter(({ arn }) => arn !== '-' && arn.startsWith('arn:')),
    accounts: ownAccounts(config, own),
  }
}
