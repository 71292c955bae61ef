// How far an effect is, on each engine: what was begun, what has its outcome, and what is not this gate's any more.
import { afterAll, expect, test } from 'vitest'
import { engines } from './engines.fixture.ts'
import { SqlStore } from './sql-store.ts'

for (const engine of await engines()) {
  afterAll(() => engine.end())
  const skipped = engine.absent === null ? '' : ` (skipped: ${engine.absent})`
  test.skipIf(engine.absent !== null)(`an effect on ${engine.name}${skipped}`, async () => {
    const database = await engine.open(await engine.place())
    const store = new SqlStore(database)
    await database.run(
      `INSERT INTO effects (id, session_id, operation, gateway, plan, state)
       VALUES ('e-1', 's-1', 'dynamodb:DeleteTable', '', '', 'open')`,
    )
    expect(await store.progressOf('e-1')).toBe('begun')
    for (const state of ['accepted', 'ended']) {
      await database.run('UPDATE effects SET state = ?', state)
      expect(await store.progressOf('e-1')).toBe('recorded')
    }
    await database.run(`UPDATE effects SET state = 'begun', gateway = 'another'`)
    expect(await store.progressOf('e-1')).toBe('gone')
    expect(await store.progressOf('e-2')).toBe('gone')
    await store.close()
  })
}
