// Tells open pages that something changed, as server-sent events: which kind of entry, of which session and
// request; never what is in it. A page then loads what it shows.
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import type { Recorded } from '../record/recorder.ts'
import type { ReadingEnv } from './reading.ts'

/** Pages that listen at once. */
export const LISTENERS_MAX = 500
/** Events that one page has not taken yet; past it the stream ends, and the page loads anew. */
const WAITING_MAX = 1_000
const BEAT_MS = 15_000

/** Reads and what nobody sent: too many, and no page shows them as they come. */
const UNTOLD = new Set(['read', 'unverified'])

export function addEvents(app: Hono<ReadingEnv>, gate: Gate): void {
  let listeners = 0
  app.get('/api/events', (context) => {
    if (listeners >= LISTENERS_MAX) {
      throw new GatewayError('limit_reached', 'too many pages listen', 'close some, or wait')
    }
    listeners++
    context.header('x-accel-buffering', 'no')
    const stillReads = context.get('stillReads')
    return streamSSE(context, async (stream) => {
      const waiting: Recorded[] = []
      let wake: () => void = () => undefined
      const stop = gate.recorder.onRecorded((recorded) => {
        if (UNTOLD.has(recorded.type)) return
        waiting.push(recorded)
        wake()
      })
      stream.onAbort(() => wake())
      try {
        // The page knows by the first bytes that it is connected.
        await stream.writeSSE({ event: 'beat', data: '' })
        // Who was removed, or signed out, hears no more.
        while (!stream.aborted && waiting.length <= WAITING_MAX) {
          const next = waiting.shift()
          if (!(await stillReads())) break
          if (next !== undefined) await stream.writeSSE({ data: JSON.stringify(next) })
          else if (await beatenBy((woken) => (wake = woken)))
            await stream.writeSSE({ event: 'beat', data: '' })
        }
      } finally {
        stop()
        listeners--
      }
    })
  })
}

/** True where nothing happened until the next beat was due. */
function beatenBy(onWake: (wake: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), BEAT_MS)
    timer.unref()
    onWake(() => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}
