// Rows of the past that no request makes: break-glasses that two others have looked at, and plans that are done.
// They are put into the state as the desks would; the ledger of the bench knows nothing of them.
import type { Gate } from '@seconder/gateway/gate'
import { randomId } from '@seconder/gateway/lib/ids'

const MINUTE_MS = 60_000

export async function addPast({ store }: Gate, count: number, nowMs: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const openedAtMs = nowMs - (count - number) * MINUTE_MS
    const operator = `operator-${number}`
    const sessionId = randomId('s')
    const breakGlass = randomId('b')
    await store.addBreakGlass({
      ...{ id: breakGlass, sessionId, operator, reason: 'the site is down at night' },
      ...{ effects: ['write'], resources: ['arn:aws:s3:::a-bucket/a-key'], strength: 'hardware' },
      ...{ epoch: 1, openedAtMs, untilMs: openedAtMs + MINUTE_MS, effectsMax: 1, used: 0 },
      closedAtMs: null,
    })
    for (const reviewer of ['reviewer-1', 'reviewer-2']) {
      await store.addBreakGlassReview({ breakGlass, reviewer, comment: 'seen', atMs: nowMs }, 2)
    }
    await store.addPlan({
      ...{ id: randomId('p'), sessionId, operator, state: 'done', reason: 'five notes', epoch: 1 },
      ...{ openedAtMs, stoppedAt: null, why: null },
    })
  }
}
