// How far the agent is from the gate is measured on the connection; nothing the agent says counts.
import { spawn, spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from './harness.ts'
import { dynamodbCall, signed } from './wire.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

async function isolationSeenFor(uid: number | undefined): Promise<unknown> {
  const upstream = await startFakeUpstream()
  const gate = await Harness.start({ upstream: upstream.url })
  const keys = await gate.open('alice')
  const claim = [['x-seconder-isolation', 'host']] as const
  const request = signed(
    keys,
    dynamodbCall('DeleteTable', { TableName: 'orders' }, { headers: claim }),
  )
  const headers = Object.fromEntries(request.headers.filter(([name]) => name !== 'content-length'))
  const script = `fetch(process.argv[1], JSON.parse(process.argv[2])).then((answer) => answer.text())`
  const init = { method: 'POST', headers, body: Buffer.from(request.body).toString() }
  const child = spawn(process.execPath, ['-e', script, `${keys.endpoint}/`, JSON.stringify(init)], {
    ...(uid !== undefined && { uid }),
    cwd: '/',
    stdio: 'inherit',
  })
  await new Promise((resolve) => child.once('exit', resolve))
  const { requests } = await gate.client.get<{ requests: { requestId: string }[] }>('/api/requests')
  const { document } = await gate.client.get<{ document: string }>(
    `/api/requests/${requests[0]?.requestId}`,
  )
  await gate.stop()
  await upstream.close()
  return (JSON.parse(document) as { context: { isolation: string } }).context.isolation
}

test("an agent on the gate's own user is measured as none, whatever it claims", async () => {
  expect(await isolationSeenFor(undefined)).toBe('none')
})

const canRunAsNobody =
  isRoot && spawnSync(process.execPath, ['-e', ''], { uid: NOBODY, cwd: '/' }).status === 0

test.skipIf(!canRunAsNobody)(
  'an agent on another user is measured as user (needs root to try)',
  async () => {
    expect(await isolationSeenFor(NOBODY)).toBe('user')
  },
)
