// Streams of events that nobody reads, as on a laptop that sleeps: they end, and nothing grows for them.
import { Hono } from 'hono'
import { expect, test, vi } from 'vitest'
import type { Gate } from '../gate.ts'
import type { Recorded } from '../record/recorder.ts'
import { addEvents, LISTENERS_PER_PERSON_MAX, WAITING_MAX } from './events.ts'
import type { ReadingEnv } from './reading.ts'

const PATIENCE = { timeout: 30_000 }

function served() {
  const listeners = new Set<(recorded: Recorded) => void>()
  const onRecorded = (listener: (recorded: Recorded) => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const app = new Hono<ReadingEnv>()
  app.use(async (context, next) => {
    const person = context.req.header('person') ?? ''
    context.set('reader', { person, kind: 'browser', expiresAtMs: 0 })
    context.set('stillReads', async () => true)
    await next()
  })
  addEvents(app, { recorder: { onRecorded } } as unknown as Gate)
  app.onError((error, context) => context.text(error.message, 500))
  const listen = async (person: string) => app.request('/api/events', { headers: { person } })
  const tell = (index: number) => {
    for (const listener of listeners) listener({ type: 'review', index } as Recorded)
  }
  return { listeners, listen, tell }
}

test('a stream that nobody reads ends past its limit, and hears no more', async () => {
  const { listeners, listen, tell } = served()
  const answer = await listen('bob')
  await vi.waitFor(() => expect(listeners.size).toBe(1), PATIENCE)
  for (let index = 0; index < WAITING_MAX + 10; index++) tell(index)
  await vi.waitFor(() => expect(listeners.size).toBe(0), PATIENCE)
  expect(answer.status).toBe(200)
})

test('one person listens on so many pages, and others still do', async () => {
  const { listeners, listen } = served()
  const pages: Response[] = []
  const opened = async (person: string) => {
    const page = await listen(person)
    if (page.status === 200) pages.push(page)
    return page.status
  }
  for (let count = 0; count < LISTENERS_PER_PERSON_MAX; count++) {
    expect(await opened('bob')).toBe(200)
  }
  expect(await opened('bob')).toBe(500)
  expect(await opened('carol')).toBe(200)
  // A page that is closed makes room.
  await Promise.all(pages.map((page) => page.body?.cancel()))
  await vi.waitFor(() => expect(listeners.size).toBe(0), PATIENCE)
  expect(await opened('bob')).toBe(200)
  await pages.at(-1)?.body?.cancel()
})
