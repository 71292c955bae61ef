// The gate of the review bench, as a child: the real one under the policies of the demo, which take key files.
// It opens the requests that the bench asks for at its own desk; they are answered over HTTP like any other.
import { join } from 'node:path'
import type { Config } from '@seconder/gateway/config'
import { Secret } from '@seconder/gateway/lib/secret'
import { LIMITS_DEFAULT } from '@seconder/gateway/limits-config'
import { type RunningGate, serve } from '@seconder/gateway/serve'
import { addPast } from './past.ts'
import { type Member, type Opened, openRequests } from './review-load.ts'
import { PRODUCTION } from './start.ts'

export interface ReviewGateStart {
  readonly folder: string
  readonly people: Config['people']
  /** Of these people, those whose agents ask. */
  readonly operators: readonly Member[]
  /** The gate's time runs so many times faster, from this moment on. */
  readonly clock: { readonly fromMs: number; readonly factor: number }
}

export interface ReviewGateStarted {
  readonly consoleUrl: string
}

export interface ReviewGateAsked {
  readonly open?: number
  /** Break-glasses and plans that are over. */
  readonly past?: number
  readonly approvedOf?: readonly string[]
}

export interface ReviewGateAnswer {
  readonly opened?: readonly Opened[]
  readonly approved?: number
}

const EXPIRES_MS = 30 * 24 * 60 * 60 * 1000

/** Limits of one person and one address are for one; here fifty people share an address. */
export function fastClock({ fromMs, factor }: ReviewGateStart['clock']) {
  return { nowMs: () => Math.floor(fromMs + (Date.now() - fromMs) * factor) }
}

function configOf({ folder, people }: ReviewGateStart): Config {
  const address = { host: '127.0.0.1', port: 0 }
  return {
    listen: { aws: address, console: address },
    statePath: join(folder, 'state', 'state.db'),
    ledgerDirectory: join(folder, 'ledger'),
    policiesDirectory: new URL('../../../lab/policies', import.meta.url).pathname,
    upstream: {
      endpoint: 'http://127.0.0.1:9',
      timeoutMs: 1_000,
      credentials: {
        accessKeyId: 'AKIABENCHBENCHBENCHB',
        secretAccessKey: new Secret('no-account-has-this-key'),
        sessionToken: null,
      },
    },
    environments: [{ name: 'production', accounts: [PRODUCTION], mode: 'enforce' }],
    roles: { deploy: { arn: `arn:aws:iam::${PRODUCTION}:role/agent-deploy` } },
    people,
    // One session makes what many would.
    limits: {
      ...LIMITS_DEFAULT,
      session: { burst: 10_000_000, perMinute: 100_000_000, atOnce: 2_000 },
    },
    review: { holdMs: 0, expiresInMs: EXPIRES_MS, grantExpiresInMs: EXPIRES_MS },
  }
}

async function answer(
  { gate }: RunningGate,
  { open, past, approvedOf }: ReviewGateAsked,
  { nowMs, operators }: { readonly nowMs: number; readonly operators: readonly Member[] },
): Promise<ReviewGateAnswer> {
  if (open !== undefined) return { opened: await openRequests(gate, open, operators) }
  if (past !== undefined) await addPast(gate, past, nowMs)
  let approved = 0
  for (const id of approvedOf ?? []) {
    const isApproved = (await gate.store.request(id))?.state === 'approved'
    if (isApproved && (await gate.store.grantForRequest(id))?.state === 'ready') approved++
  }
  return { approved }
}

process.once('message', (start: ReviewGateStart) => {
  const clock = fastClock(start.clock)
  void serve(configOf(start), clock).then((running) => {
    process.on('message', (asked: ReviewGateAsked) => {
      const by = { nowMs: clock.nowMs(), operators: start.operators }
      void answer(running, asked, by).then((told) => process.send?.(told))
    })
    process.once('disconnect', () => void running.close().then(() => process.exit(0)))
    process.send?.({ consoleUrl: running.consoleUrl } satisfies ReviewGateStarted)
  })
})
