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
/** Those of one person: a few browsers with many tabs. */
export const LISTENERS_PER_PERSON_MAX = 50
/** Events that one page has not taken yet; past it the stream ends, and the page loads anew. */
export const WAITING_MAX = 1_000
const BEAT_MS = 15_000

/** Reads and what nobody sent: too many, and no page shows them as they come. */
const UNTOLD = new Set(['read', 'unverified'])

export function addEvents(app: Hono<ReadingEnv>, gate: Gate): void {
  let listeners = 0
  const listensAs = new Map<string, number>()
  app.get('/api/events', (context) => {
    const person = context.get('reader')?.person ?? ''
    const own = listensAs.get(person) ?? 0
    if (listeners >= LISTENERS_MAX || own >= LISTENERS_PER_PERSON_MAX) {
      throw new GatewayError('limit_reached', 'too many pages listen', 'close some, or wait')
    }
    listeners++
    listensAs.set(person, own + 1)
    context.header('x-accel-buffering', 'no')
    const stillReads = context.get('stillReads')
    return streamSSE(context, async (stream) => {
      const waiting: Recorded[] = []
      let wake: () => void = () => undefined
      const stop = gate.recorder.onRecorded((recorded) => {
        if (UNTOLD.has(recorded.type)) return
        // Nobody takes them, as where a laptop sleeps: what is written waits, and this must not grow.
        if (waiting.length > WAITING_MAX) stream.abort()
        else waiting.push(recorded)
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
        const left = (listensAs.get(person) ?? 1) - 1
        if (left > 0) listensAs.set(person, left)
        else listensAs.delete(person)
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
