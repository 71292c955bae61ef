// A way upstream whose answers are timed. It changes nothing of what goes either way.
import { type SendUpstream, UpstreamSilence } from '../execute/upstream.ts'
import type { GateMetrics } from './gate-metrics.ts'

export function timed(
  metrics: GateMetrics,
  kind: 'call' | 'look_up',
  send: SendUpstream,
): SendUpstream {
  return async (request, scope) => {
    const sinceMs = performance.now()
    const took = (status: string) =>
      metrics.upstreamSeconds.observe((performance.now() - sinceMs) / 1_000, [kind, status])
    try {
      const answer = await send(request, scope)
      took(`${Math.trunc(answer.status / 100)}xx`)
      return answer
    } catch (cause) {
      // What was refused before it was sent took no time of the upstream.
      if (cause instanceof UpstreamSilence) took('none')
      throw cause
    }
  }
}
