// Retention at the desk's own door: what an epoch cannot be read to say drops nothing, and makes no row of entries.
import { LedgerError } from '@seconder/ledger/errors'
import { expect, test } from 'vitest'
import type { Entry } from '../record/entry.ts'
import { DROPPED_AT_ONCE, PayloadDesk, type PayloadDeskOptions } from './payload-desk.ts'
import { PayloadIndex } from './payload-index.ts'

const DAY_MS = 24 * 60 * 60_000
const START = Date.UTC(2026, 0, 1)
const at = new Date(START).toISOString()
const CONTENT = JSON.stringify({ retention: { payloadDays: 30 } })
const VERSION = 'ab'.repeat(32)
type Given = Readonly<Record<string, unknown>>
const EPOCH = {
  type: 'epoch-activated',
  at,
  epoch: 1,
  version: VERSION,
  content: VERSION,
  acts: [],
}

function opened(request: string): Given {
  const expiresAt = new Date(START + DAY_MS).toISOString()
  return { type: 'request-opened', at, request, document: `of ${request}`, expiresAt }
}

const unknown = () => new LedgerError('payload_unknown', 'there is no such payload')

/** A ledger of these entries whose payload of the epoch is what `read` says. */
function ledgerOf(entries: Given[], read: () => string) {
  return {
    get size() {
      return entries.length
    },
    read: async (index: number) => Buffer.from(JSON.stringify(entries[index])),
    readPayload: async () => Buffer.from(read()),
    dropPayload: async () => undefined,
  }
}

/** A desk ten weeks later, with what it records. */
function deskOf(read: () => string, count = 1) {
  const entries: Given[] = [EPOCH]
  for (let at = 0; at < count; at++) entries.push(opened(`r-${at}`))
  const meta = new Map<string, string>()
  const parts = {
    ledger: ledgerOf(entries, read),
    store: {
      meta: async (name: string) => meta.get(name),
      setMeta: async (name: string, value: string) => void meta.set(name, value),
      alone: (_: string, what: () => Promise<unknown>) => what(),
    },
    recorder: {
      onRecorded: () => () => undefined,
      async record(entry: Entry) {
        entries.push({ ...entry, at: new Date(START + 70 * DAY_MS).toISOString() })
        return entries.length - 1
      },
    },
    clock: { nowMs: () => START + 70 * DAY_MS },
    inForce: async () => ({ number: 1, content: JSON.parse(CONTENT) }),
  }
  const desk = new PayloadDesk(parts as unknown as PayloadDeskOptions)
  return { desk, ended: () => entries.filter(({ type }) => type === 'retention-ended') }
}

test('an epoch whose content is not there keeps payloads: no entry is made, and the operator is told', async () => {
  const { desk, ended } = deskOf(() => {
    throw unknown()
  })
  await expect(desk.sweep()).rejects.toMatchObject({ code: 'state_error' })
  expect(ended()).toEqual([])
  expect(desk.notices()).toEqual([expect.stringContaining('epoch 1 keeps payloads for 30 days')])
})

test('what could not be read is read again; only what is not there says nothing', async () => {
  const failures = [
    Object.assign(new Error('i/o error'), { code: 'EIO' }),
    new LedgerError('ledger_corrupt', 'the payload was changed'),
  ]
  let left = [...failures]
  const read = () => {
    const [cause, ...rest] = left
    left = rest
    if (cause) throw cause
    return CONTENT
  }
  const index = new PayloadIndex(ledgerOf([EPOCH, opened('r-1')], read))
  for (const cause of failures) await expect(index.caughtUp()).rejects.toBe(cause)
  const end = { type: 'retention-ended', at: new Date(START + 70 * DAY_MS).toISOString() }
  const uses = await index.caughtUp()
  expect(uses.take({ ...end, payloads: ['of r-1'], epoch: 1, days: 30 })).toBe(null)

  const gone = new PayloadIndex(
    ledgerOf([EPOCH, opened('r-1')], () => {
      throw unknown()
    }),
  )
  const none = await gone.caughtUp()
  expect(none.take({ ...end, payloads: ['of r-1'], epoch: 1, days: 30 })).toContain('no epoch')
})

test('a sweep drops more than one entry names, each payload once', async () => {
  const count = 2 * DROPPED_AT_ONCE + 1
  const { desk, ended } = deskOf(() => CONTENT, count)
  await desk.sweep()
  const payloads = ended().map((entry) => entry['payloads'] as string[])
  expect(payloads.map(({ length }) => length)).toEqual([DROPPED_AT_ONCE, DROPPED_AT_ONCE, 1])
  expect(new Set(payloads.flat()).size).toBe(count)
  expect(desk.notices()).toEqual([])
})
