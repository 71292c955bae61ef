// H14 and H3 on both stores: gateways of one state with other files, another epoch loaded or another build. They
// decide as the epoch in force says, or not at all.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Mutexes } from '@seconder/gateway/lib/mutexes'
import { serve } from '@seconder/gateway/serve'
import { openSqliteStore } from '@seconder/gateway/state/open-store'
import { PostgresDatabase } from '@seconder/gateway/state/postgres'
import { SqlStore } from '@seconder/gateway/state/sql-store'
import type { Store } from '@seconder/gateway/state/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withoutPostgres } from '../fakes/test-state.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const LAB = join(import.meta.dirname, '..', '..', 'lab', 'policies')
const absent = await withoutPostgres()
const before = process.env['SECONDER_TEST_STATE']

for (const kind of ['sqlite', 'postgres'] as const) {
  const isAbsent = kind === 'postgres' && absent !== null
  describe.skipIf(isAbsent)(isAbsent ? `${kind} (skipped: ${absent})` : kind, () => {
    beforeAll(() => {
      process.env['SECONDER_TEST_STATE'] = kind
    })
    afterAll(() => {
      process.env['SECONDER_TEST_STATE'] = before
    })
    held(kind === 'postgres')
  })
}

function held(isShared: boolean): void {
  const lax = mkdtempSync(join(tmpdir(), 'seconder-lax-'))
  let upstream: FakeUpstream
  let gate: Harness
  let keys: Keys

  beforeAll(async () => {
    cpSync(LAB, lax, { recursive: true })
    writeFileSync(join(lax, 'lax.cedar'), '@id("lax") permit (principal, action, resource);\n')
    upstream = await startFakeUpstream()
    gate = await Harness.start({ upstream: upstream.url })
    keys = await gate.open('alice')
  })
  afterAll(async () => {
    await gate.stop()
    await upstream.close()
    rmSync(lax, { recursive: true, force: true })
  })

  let name = 0
  const ask = (at = keys.endpoint) =>
    rawCall(
      { ...keys, endpoint: at },
      dynamodbCall('DeleteTable', { TableName: `orders-${name++}` }),
    )
  const effects = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

  /** The state as another gateway has it. */
  async function elsewhere<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const { database, statePath } = gate.config()
    const store = database
      ? new SqlStore(new PostgresDatabase(database), { gateway: 'g-x', mutexes: new Mutexes() })
      : openSqliteStore(statePath)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  /** As two people sign it at another gateway: `spoilt` is what differs from the epoch before it. */
  const activated = (spoilt: (content: Record<string, unknown>) => object) =>
    elsewhere(async (store) => {
      const active = await store.activeEpoch()
      if (!active) throw new Error('no epoch')
      const content = JSON.stringify(spoilt(JSON.parse(active.content)))
      const number = active.number + 1
      await store.activateEpoch({ ...active, number, version: `v${number}`, content })
    })

  test('H14: a gateway with other files and other environments decides as the epoch in force says', async () => {
    const config = {
      ...gate.config(),
      policiesDirectory: lax,
      environments: [
        { name: 'development', accounts: [ACCOUNT], mode: 'enforce' as const },
        { name: 'production', accounts: ['210987654321'], mode: 'enforce' as const },
      ],
    }
    if (!isShared) {
      await gate.running.close()
      gate.running = await serve(config)
      expect((await ask()).body).toContain('held this call')
    } else {
      const free = { host: '127.0.0.1', port: 0 }
      const statePath = join(gate.folder, 'other', 'state.db')
      const other = await serve({ ...config, statePath, listen: { aws: free, console: free } })
      try {
        const asked = await ask(other.awsUrl)
        expect(asked.body).toContain('held this call')
        expect(idIn(asked)).not.toBe('')
        const { refusing, epoch } = await other.gate.facts()
        expect({ refusing, epoch }).toEqual({ refusing: null, epoch: 1 })
      } finally {
        await other.close()
      }
    }
    expect(effects()).toBe(0)
  })

  test('H3, H14: a gateway that is an epoch behind follows, or answers refusals only; no grant of before works', async () => {
    const asked = await ask()
    await gate.review('bob', idIn(asked))
    await activated((content) => ({
      ...content,
      policies: [...(content['policies'] as object[]), { file: 'none.cedar', text: FORBIDS }],
    }))
    name -= 1
    const after = await ask()
    const says = isShared
      ? 'denied dynamodb:DeleteTable'
      : 'another epoch is active than the one this gate has loaded'
    expect(after.body).toContain(says)
    expect((await ask()).body).toContain(says)
    expect(effects()).toBe(0)
    if (isShared) return
    await gate.restartSame()
    expect((await ask()).body).toContain('denied dynamodb:DeleteTable')
  })

  test('H14: a gateway of another build than the epoch was signed for answers refusals only, reads too', async () => {
    await activated((content) => ({ ...content, build: 'f'.repeat(64) }))
    if (!isShared) await gate.restartSame()
    const seen = upstream.seen.length
    for (const call of [dynamodbCall('ListTables', {}), dynamodbCall('DeleteTable', {})]) {
      const { body } = await rawCall(keys, call)
      expect(body).toContain('was signed for another build of Seconder')
    }
    expect(upstream.seen.length).toBe(seen)
  })
}

const FORBIDS = `@id("none") forbid (principal, action == Action::"destroy", resource);\n`
