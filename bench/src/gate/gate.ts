// The gate under test, as a child: the real one with its ledger, its state and the policies that are
// shipped, in a scratch folder. Only its configuration is made here.
import { join } from 'node:path'
import type { Config } from '@seconder/gateway/config'
import { Secret } from '@seconder/gateway/lib/secret'
import { LIMITS_DEFAULT } from '@seconder/gateway/limits-config'
import { serve } from '@seconder/gateway/serve'
import { type StageSplit, startSplit } from './stage-split.ts'
import {
  DEVELOPMENT,
  type GateSplit,
  type GateStart,
  type GateStarted,
  PRODUCTION,
} from './start.ts'

function configOf({ folder, upstreamPort, publicKey }: GateStart): Config {
  const address = { host: '127.0.0.1', port: 0 }
  return {
    listen: { aws: address, console: address },
    statePath: join(folder, 'state', 'state.db'),
    ledgerDirectory: join(folder, 'ledger'),
    policiesDirectory: new URL('../../../policies', import.meta.url).pathname,
    upstream: {
      endpoint: `http://127.0.0.1:${upstreamPort}`,
      timeoutMs: 20_000,
      credentials: {
        accessKeyId: 'AKIABENCHBENCHBENCHB',
        secretAccessKey: new Secret('no-account-has-this-key'),
        sessionToken: null,
      },
    },
    environments: [
      { name: 'production', accounts: [PRODUCTION], mode: 'enforce' },
      { name: 'development', accounts: [DEVELOPMENT], mode: 'enforce' },
    ],
    roles: {
      reads: { arn: `arn:aws:iam::${PRODUCTION}:role/agent-reads` },
      writes: { arn: `arn:aws:iam::${DEVELOPMENT}:role/agent-writes` },
    },
    people: [{ name: 'alice', teams: ['sre'], sshKeys: [publicKey] }],
    // One session makes what many would.
    limits: {
      ...LIMITS_DEFAULT,
      session: { burst: 10_000_000, perMinute: 100_000_000, atOnce: 2_000 },
    },
    review: { holdMs: 0, expiresInMs: 60_000, grantExpiresInMs: 60_000 },
  }
}

process.once('message', (start: GateStart) => {
  void serve(configOf(start)).then((running) => {
    const { awsUrl, consoleUrl } = running
    process.send?.({ awsUrl, consoleUrl } satisfies GateStarted)
    process.on('message', answerSplit)
    process.once('disconnect', () => void running.close().then(() => process.exit(0)))
  })
})

let stopSplit: (() => Promise<StageSplit>) | null = null

/** Starts a profile, or ends it and answers with the split. */
function answerSplit({ split }: GateSplit): void {
  if (split === 'start') {
    stopSplit = startSplit()
    process.send?.({})
  } else void stopSplit?.().then((found) => process.send?.(found))
}
