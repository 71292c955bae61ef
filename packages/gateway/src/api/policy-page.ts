// What decides now, for people to read: the active epoch's policies and rows. No secret is in an epoch.
import type { Hono } from 'hono'
import type { EpochContent } from '../epoch/content.ts'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import type { ReadingEnv } from './reading.ts'

export function addPolicyPage(app: Hono<ReadingEnv>, gate: Gate): void {
  app.get('/api/policies', async (context) => {
    const active = await gate.store.activeEpoch()
    if (active === undefined) {
      throw new GatewayError('gate_refusing', 'no epoch is active', 'start the gate once')
    }
    const content = JSON.parse(active.content) as EpochContent
    return context.json({
      epoch: active.number,
      version: active.version,
      activatedAt: new Date(active.activatedAtMs).toISOString(),
      schema: content.schema,
      policies: content.policies,
      environments: content.environments,
      roles: content.roles,
      roleReach: content.roleReach ?? {},
      protect: content.protect ?? [],
      ownAccounts: content.ownAccounts ?? [],
    })
  })
}
