// SDK v3 of every protocol through a real gate: a held call, a denied one and an approved one, each of
// them one request, each message and id as the gate said it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { countAtDoor, DenyingPolicies, TRICKY } from './clients.ts'
import { Harness, requestIdIn } from './harness.ts'
import { SDK_CASES } from './sdk-stack.ts'

let upstream: FakeUpstream
const denying = new DenyingPolicies()

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script = ({ request }) => ({
    status: request.method === 'DELETE' ? 204 : 200,
    headers: { 'content-type': 'text/xml', 'smithy-protocol': 'rpc-v2-cbor' },
    body: '',
  })
})

afterAll(async () => {
  denying.remove()
  await upstream.close()
})

interface Thrown extends Error {
  readonly $metadata?: { readonly requestId?: string; readonly attempts?: number }
}

async function thrownBy(sent: Promise<unknown>): Promise<Thrown> {
  return sent.then(
    () => {
      throw new Error('the client took the refusal for a success')
    },
    (error: Thrown) => error,
  )
}

for (const [name, { operation, send }] of Object.entries(SDK_CASES)) {
  test(`SDK v3 ${name}: held, approved and done, held again and denied, one request each`, async () => {
    const gate = await Harness.start({ upstream: upstream.url })
    const keys = await gate.open('alice')
    const door = countAtDoor(gate)
    upstream.seen.length = 0

    const held = await thrownBy(send(keys))
    const id = requestIdIn(held)
    expect(held.message).toMatch(
      /^Seconder held this call, nothing was done: \S+ in production needs review by /,
    )
    expect(held.message).toContain(operation)
    expect(held.message).toContain(`${gate.running.consoleUrl}/requests/${id}`)
    expect(held.message).toMatch(new RegExp(`or wait with: seconder wait ${id}$`))
    expect(held.$metadata?.requestId).toBe(id)
    expect(held.$metadata?.attempts).toBe(1)
    expect(door.taken()).toBe(1)

    await gate.review('bob', id)
    await send(keys)
    expect(door.taken()).toBe(1)

    const again = await thrownBy(send(keys))
    expect(requestIdIn(again)).not.toBe(id)
    await gate.review('bob', requestIdIn(again), 'deny', TRICKY)
    expect(door.taken()).toBe(1)
    const denied = await thrownBy(send(keys))
    const shown = TRICKY.replaceAll('"', "'")
    expect(denied.message).toBe(
      `Seconder: request ${requestIdIn(again)} was denied by bob; nothing was done. They say: "${shown}"`,
    )
    expect(denied.$metadata?.requestId).toBe(requestIdIn(again))
    expect(door.taken()).toBe(1)

    const types = (await gate.entries()).map(({ type }) => type)
    expect(types.filter((type) => type === 'intent')).toHaveLength(1)
    expect(types.filter((type) => type === 'request-opened')).toHaveLength(2)
    const effects = (await gate.entries()).filter(({ type }) => type === 'intent')
    expect(effects).toEqual([expect.objectContaining({ operation })])
    await gate.stop()
  })
}

test('a reason of policy with every special character shows in each protocol as it was written', async () => {
  const gate = await Harness.start({ upstream: upstream.url, policies: denying.folder })
  const keys = await gate.open('alice')
  const door = countAtDoor(gate)
  upstream.seen.length = 0
  for (const [name, { operation, send }] of Object.entries(SDK_CASES)) {
    const denied = await thrownBy(send(keys))
    expect(denied.message, name).toContain(
      `Seconder denied ${operation} in production; nothing was done: `,
    )
    expect(denied.message, name).toContain(TRICKY)
    expect(denied.$metadata?.attempts, name).toBe(1)
    expect(door.taken(), name).toBe(1)
    expect((await gate.entries()).at(-1), name).toMatchObject({ type: 'denied', operation })
  }
  expect(upstream.seen.filter(({ request }) => request.method === 'DELETE')).toEqual([])
  await gate.stop()
})
