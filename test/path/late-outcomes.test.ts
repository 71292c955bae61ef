// The state database goes away while AWS works: the call is made, its caller hears that how it ended could not be
// recorded, and when the database is back the ledger says how it ended, once.
import { noPostgres, PostgresServer } from '@seconder/gateway/state/postgres-server.fixture'
import { expect, test } from 'vitest'
import { GateProcess } from '../fakes/gate-process.ts'
import { defaultScript, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const absent = await noPostgres()
const onServer = absent === null ? test : test.skip
const skipped = absent === null ? '' : ` (skipped: ${absent})`
const call = (agent: string) =>
  dynamodbCall(
    'DeleteTable',
    { TableName: 'orders' },
    { headers: [['x-amz-user-agent', agent]] as const },
  )

onServer(
  `an outcome that came while the state database was away is recorded when it is back${skipped}`,
  async () => {
    const upstream = await startFakeUpstream()
    const server = await PostgresServer.start()
    const gate = await GateProcess.create(upstream.url, { state: await server.database('late') })
    try {
      await gate.start()
      const keys = { ...(await gate.open('alice')), endpoint: gate.endpoint }
      await gate.approve('bob', idIn(await rawCall(keys, call('first'))))
      const arrived = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      upstream.script = async (seen) => {
        if (seen.operation === 'DeleteTable') {
          arrived.resolve()
          await released.promise
        }
        return defaultScript(seen)
      }
      const answered = rawCall(keys, call('second'))
      await arrived.promise
      await server.down('SIGQUIT')
      released.resolve()
      const answer = await answered
      expect(answer.body).toContain('could not record how it ended')
      await server.up()
      const outcomes = async () => {
        const entries = await gate.verified().catch(() => [])
        return entries.flatMap((one) => (one.type === 'outcome' ? [one['outcome']] : []))
      }
      await expect.poll(outcomes).toContainEqual(expect.objectContaining({ result: 'accepted' }))
      expect(upstream.seen.filter(({ operation }) => operation === 'DeleteTable')).toHaveLength(1)
      await gate.stop()
      const said = await outcomes()
      expect(said[0]).toMatchObject({ result: 'accepted' })
      expect(said.filter((one) => (one as { result: string }).result !== 'confirmed')).toHaveLength(
        1,
      )
    } finally {
      await gate.remove()
      await server.remove()
      await upstream.close()
    }
  },
)
