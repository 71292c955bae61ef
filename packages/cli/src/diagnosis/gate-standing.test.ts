// What `seconder doctor` says of channels: what was lost or fails is a warning, what goes well is not.
import type { Standing } from '@seconder/gateway/wall/standing'
import { expect, test } from 'vitest'
import { notifyFindings, readyFindings } from './gate-standing.ts'

type Notify = NonNullable<Standing['notify']>

const CHANNEL: Notify['channels'][number] = {
  name: 'pager',
  kind: 'webhook',
  waiting: 0,
  delivered: 3,
  failedAttempts: 0,
  givenUp: 0,
  dropped: 0,
  failing: null,
  lastFailure: null,
}

function states(channel: Partial<Notify['channels'][number]>, more: Partial<Notify> = {}) {
  const notify = {
    unrouted: 0,
    unwatched: 0,
    trouble: null,
    channels: [{ ...CHANNEL, ...channel }],
  }
  return notifyFindings({ ...notify, ...more }).map(({ state, found }) => `${state}: ${found}`)
}

test('a channel that works is ok, one that fails or lost something is a warning', () => {
  expect(states({})).toEqual(['ok: webhook: 3 delivered, 0 waiting, 0 lost'])
  expect(states({ failing: 'http_503', waiting: 2 })).toEqual([
    'warning: webhook: 3 delivered, 2 waiting, 0 lost; http_503',
  ])
  expect(states({ givenUp: 1, dropped: 1 })).toEqual([
    'warning: webhook: 3 delivered, 0 waiting, 2 lost',
  ])
})

test('requests that nobody was told of are a warning, and so is an outbox that fails', () => {
  expect(states({}, { unrouted: 2, unwatched: 1 })[0]).toBe(
    'warning: nobody was told of 3 requests',
  )
  expect(states({}, { trouble: 'outbox_failed' })[0]).toBe('warning: outbox_failed: nobody is told')
  expect(notifyFindings(null)).toMatchObject([{ state: 'ok', next: null }])
})

test('a gate that can do its work is ok; each part that cannot is named with what to do, and no answer is unseen', () => {
  const words = (readiness: Parameters<typeof readyFindings>[0]) =>
    readyFindings(readiness).map(({ state, what }) => `${state} ${what}`)
  const well = {
    ledger: 'ok',
    state: 'ok',
    epoch: 'ok',
    credentials: 'ok',
    draining: 'ok',
  } as const
  expect(words({ ready: true, checks: well })).toEqual(['ok ready'])
  const ill = { ready: false, checks: { ...well, ledger: 'failing', state: 'unknown' } } as const
  expect(words(ill)).toEqual(['broken ready: ledger', 'unknown ready: state'])
  expect(readyFindings(ill)[0]?.next).toContain('look at the disk')
  // What contradicts itself is never called well.
  expect(words({ ready: false, checks: well })).toEqual(['broken ready'])
  expect(words(null)).toEqual(['unknown ready'])
})
