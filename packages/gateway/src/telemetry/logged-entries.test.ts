// Which entries of the ledger have a line in the log, and what of them it says.
import { expect, test } from 'vitest'
import { randomId } from '../lib/ids.ts'
import { Log } from './log.ts'
import { logged } from './logged-entries.ts'

type NewEntry = Parameters<typeof logged>[1]

const session = randomId('s')
const child = randomId('s')
const act = { statement: '{}', signature: 'of-alice', publicKey: 'ssh-ed25519 AAAA' }

function lineOf(entry: NewEntry): Record<string, unknown> {
  let text = ''
  const log = new Log(
    { format: 'json', level: 'debug' },
    () => 0,
    (bytes, done) => {
      text += Buffer.from(bytes).toString()
      done(null, bytes.byteLength)
    },
  )
  logged(log, entry)
  const { time: _, ...line } = JSON.parse(text) as Record<string, unknown>
  return line
}

// Source: docs/operations.md, the table of events by level.
test('keys that were used elsewhere, and keys in their place, have a line', () => {
  const from = 'address 192.0.2.1'
  const suspended = { type: 'session-suspended', session, operator: 'alice', used: child, from }
  expect(lineOf(suspended as NewEntry)).toEqual({
    ...{ level: 'warn', event: 'session_suspended', session, used: child },
  })
  const expiresAt = '2026-01-01T00:00:00.000Z'
  const resumed = { type: 'session-resumed', session, operator: 'alice', expiresAt, act }
  expect(lineOf(resumed as NewEntry)).toEqual({
    ...{ level: 'info', event: 'session_resumed', session },
  })
})

test('documents that go have a line, and neither their hash nor the reason is in it', () => {
  const payload = 'ab'.repeat(32)
  const acts = { by: ['alice', 'bob'], acts: [act, act] }
  const redacted = { type: 'redacted', payload, reason: 'a name is in it', ...acts, session }
  expect(lineOf(redacted as NewEntry)).toEqual({
    ...{ level: 'warn', event: 'payload_redacted', session },
  })
  const ended = { type: 'retention-ended', payloads: [payload, payload], epoch: 3, days: 90 }
  expect(lineOf(ended as NewEntry)).toEqual({
    ...{ level: 'info', event: 'retention_ended', payloads: 2, epoch: 3 },
  })
})
