// Sends one test message to one channel, at once and once: what the outbox does for notices is not done here.
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import { openChannel } from './channels/open.ts'
import type { ChannelConfig } from './notify-config.ts'

export interface TestMessage {
  readonly channel: ChannelConfig
  readonly timeoutMs: number
  readonly consoleUrl: string
  readonly clock: Clock
}

/** Errors: DeliveryFailure. */
export async function sendTest(message: TestMessage): Promise<void> {
  const { channel, timeoutMs, consoleUrl, clock } = message
  const atMs = clock.nowMs()
  const at = new Date(atMs).toISOString()
  const of = { gate: '', session: '', operator: '', team: null, requests: [] }
  const notice = { kind: 'test', at, ...of } as const
  await openChannel(channel).send(
    { id: randomId('n'), notice, follows: null },
    { atMs, signal: AbortSignal.timeout(timeoutMs), link: (path) => `${consoleUrl}${path}` },
  )
}
