// What a caller is told of an error: its code and words that are meant for them, nothing of its inside.
import { LedgerError } from '@seconder/ledger/errors'
import { expect, test } from 'vitest'
import { failureOf } from './refusals.ts'

test('what cannot be recorded is refused in words that a caller can act on, and no path is in them', () => {
  const stopped = failureOf(new LedgerError('ledger_stopped', 'declared dead at /srv/secret'))
  expect(stopped).toMatchObject({ code: 'ledger_stopped', reply: 'Unavailable' })
  expect(stopped.message).toContain('this gateway records nothing any more), so it did nothing')
  const corrupt = failureOf(new LedgerError('ledger_corrupt', '`/srv/secret` is cut short'))
  expect(corrupt.code).toBe('ledger_corrupt')
  for (const { message } of [stopped, corrupt]) expect(message).not.toContain('secret')
  expect(failureOf(new Error('of its inside'))).toMatchObject({ code: 'internal' })
})
