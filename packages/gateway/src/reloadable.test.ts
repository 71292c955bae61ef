// What a running gate takes of a changed configuration: all of it or nothing.
import { expect, test } from 'vitest'
import type { Config } from './config.ts'
import { LIMITS_DEFAULT } from './limits-config.ts'
import { Reloadable } from './reloadable.ts'
import { Telemetry } from './telemetry/telemetry.ts'

test('where who is told cannot be replaced, nothing else of the file is taken either', async () => {
  const clock = { nowMs: () => 1 }
  const config = { limits: LIMITS_DEFAULT } as Config
  const telemetry = new Telemetry({ log: { format: 'text', level: 'error' } })
  const reloadable = new Reloadable(config, { clock } as never, telemetry)
  const { notifier, limits } = reloadable
  const { replace } = notifier
  notifier.replace = async () => {
    throw new Error('it does not stop')
  }
  const session = { ...LIMITS_DEFAULT.session, atOnce: 1 }
  const next = { limits: { ...LIMITS_DEFAULT, session } } as Config
  await expect(reloadable.take(next, ['limits', 'notify'])).rejects.toThrow('it does not stop')
  limits.enter('s')
  limits.enter('s')
  notifier.replace = replace
  await reloadable.take(next, ['limits', 'notify'])
  expect(() => limits.enter('s')).toThrow('1 calls of this session are under way already')
})
