// Several gateways on one state, all at once: what may happen once happens once, whoever asks, and nothing that an
// epoch, a session or a person ended is used after it.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Engine, engines } from './engines.fixture.ts'
import type { PlanRow } from './plan-store.ts'
import { SqlStore } from './sql-store.ts'
import type { GrantRow, RequestRow, ReviewRow, SessionRow, Store } from './store.ts'

const GATEWAYS = 4
const LONG_MS = 1_000_000

function session(id: string, more: Partial<SessionRow> = {}): SessionRow {
  const keys = { accessKeyId: `KEY${id}`, secretAccessKey: 'secret', maskKey: '00' }
  const role = { roleName: 'deploy', roleArn: 'arn:aws:iam::123456789012:role/deploy' }
  const times = {
    openedAtMs: 1,
    expiresAtMs: LONG_MS,
    closedAtMs: null,
    suspendedAtMs: null,
    task: null,
    instigators: [],
  }
  return {
    id,
    parent: null,
    ...keys,
    agent: 'agent',
    operator: 'alice',
    ...role,
    ...times,
    ...more,
  }
}

function request(id: string, epoch = 1): RequestRow {
  const digests = { actionDigest: id, digest: 'd', documentSha256: 'f' }
  const said = { requirement: ['any:1'], deniedBefore: [], closedBy: null, comment: null }
  const times = { openedAtMs: 1, expiresAtMs: LONG_MS }
  const of = { sessionId: 's', operator: 'alice', operation: 'x', epoch, state: 'pending' } as const
  return { id, ...of, ...digests, ...said, ...times }
}

function grant(id: string, epoch = 1): GrantRow {
  const of = { requestId: id, sessionId: 's', digest: 'd', epoch, state: 'ready' } as const
  return { id: `g-${id}`, ...of, expiresAtMs: LONG_MS, endedBy: null, endedWhy: null }
}

const review = (requestId: string, reviewer = 'bob'): ReviewRow => ({
  ...{ requestId, reviewer, verdict: 'approve', strength: 'hardware' },
  ...{ key: `SHA256:${reviewer}`, atMs: 2 },
})
const epoch = (number: number) => ({
  number,
  version: `v${number}`,
  content: '{}',
  activatedAtMs: 1,
})
const effect = (id: string) => ({ id, sessionId: 's', operation: 'x' })
const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

for (const engine of await engines()) {
  const words = engine.absent === null ? engine.name : `${engine.name} (skipped: ${engine.absent})`
  describe.skipIf(engine.absent !== null)(words, () => raced(engine))
}

function raced(engine: Engine): void {
  let gateways: Store[]
  let one: Store

  beforeEach(async () => {
    const place = await engine.place()
    one = new SqlStore(await engine.open(place))
    gateways = [one]
    for (let index = 1; index < GATEWAYS; index++) {
      // One process has the file of SQLite, over one connection: there it is its own calls that race.
      const isShared = engine.name !== 'SQLite'
      gateways.push(isShared ? new SqlStore(await engine.open(place)) : one)
    }
    await one.foundGate(
      'gate',
      ['alice', 'bob', 'carol'].map((person) => ({
        person: { name: person, teams: [], addedAtMs: 1 },
        keys: [
          {
            ...{ fingerprint: `SHA256:${person}`, person, publicKey: 'a key' },
            ...{ credentialId: null, addedAtMs: 1 },
          },
        ],
      })),
    )
    await one.activateEpoch(epoch(1))
    await one.addSession(session('s'))
  })

  afterEach(async () => {
    for (const gateway of new Set(gateways)) await gateway.close()
  })

  afterAll(() => engine.end())

  /** What each gateway answers to the same, asked of all of them at once. */
  const all = <T>(ask: (gateway: Store, index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(gateways.map(ask))
  const granted = async (id: string) => {
    await one.addRequest(request(id))
    expect(await one.addGrant(grant(id), review(id), await one.peopleVersion())).toBe(true)
  }
  const trues = (answers: readonly boolean[]) => answers.filter((answer) => answer).length

  test('H17 a session is suspended once, and nothing is begun until it has new keys', async () => {
    await granted('r-1')
    await all((gateway, index) => gateway.bindPeer('s', 'KEYs', `user ${index}`)).then((first) =>
      expect(new Set(first).size).toBe(1),
    )
    const suspended = await all((gateway) => gateway.suspendSession('s', 'KEYs', 5))
    expect(trues(suspended)).toBe(1)
    const begin = (gateway: Store, id: string) => gateway.beginEffect(effect(id), id, 1, 10)
    const consume = (gateway: Store, id: string) =>
      gateway.consumeGrant('g-r-1', effect(id), id, 10)
    expect(trues(await all((gateway, index) => begin(gateway, `b-${index}`)))).toBe(0)
    expect(trues(await all((gateway, index) => consume(gateway, `c-${index}`)))).toBe(0)
    expect(await one.addChild(session('child', { parent: 's' }), 'KEYs', 20, 10)).toBe(false)
    expect(await one.bindPeer('s', 'KEYs', 'user 9')).not.toBe('user 9')
    const keys = (index: number) => ({
      ...{ accessKeyId: `NEW${index}`, secretAccessKey: 'new', expiresAtMs: LONG_MS },
    })
    const resumed = await all((gateway, index) => gateway.resumeSession('s', keys(index), 6))
    expect(resumed.every((answer) => answer !== undefined)).toBe(true)
    const known = await Promise.all(
      gateways.map((_, index) => one.sessionByAccessKey(`NEW${index}`)),
    )
    expect(known.filter((row) => row !== undefined)).toHaveLength(1)
    expect(await one.sessionPeer('s')).toBeUndefined()
    // What the old keys asked for opens no child.
    const child = session('late', { parent: 's' })
    expect(await one.addChild(child, 'KEYs', 20, 10)).toBe(false)
    const now = (await one.session('s'))?.accessKeyId ?? ''
    expect(
      trues(await all((gateway) => gateway.addChild(child, now, 20, 10).catch(() => false))),
    ).toBe(1)
    expect(await one.suspendSession('s', 'KEYs', 7)).toBe(false)
    expect(trues(await all((gateway, index) => consume(gateway, `d-${index}`)))).toBe(1)
  })

  test('H3 a grant is used once, under the epoch it was made in, whatever activates meanwhile', async () => {
    const ids = numbered(12, 'r-')
    for (const id of ids) await granted(id)
    let activation: Promise<unknown> = Promise.resolve()
    const asked = ids.map(async (id, index) => {
      // Each by every gateway at once; a new epoch comes in the middle of them.
      if (index === 6) activation = (gateways[1] as Store).activateEpoch(epoch(2))
      const answers = await all((gateway, which) =>
        gateway.consumeGrant(`g-${id}`, effect(`e-${id}-${which}`), `s-${id}-${which}`, 10),
      )
      return trues(answers)
    })
    const counts = await Promise.all(asked)
    await activation
    for (const [index, id] of ids.entries()) {
      expect(counts[index], id).toBeLessThanOrEqual(1)
      const state = counts[index] === 1 ? 'consumed' : 'revoked'
      expect((await one.grantForRequest(id))?.state, id).toBe(state)
    }
    const begun = (await one.openEffects()).length
    expect(begun).toBe(counts.reduce((sum, count) => sum + count, 0))
    // Nothing of the old epoch is used after it, whoever asks; not even by what was never granted.
    await one.addRequest(request('r-old'))
    expect(await one.addGrant(grant('r-old'), review('r-old'), await one.peopleVersion())).toBe(
      true,
    )
    const answers = await all((gateway, which) =>
      gateway.consumeGrant('g-r-old', effect(`o${which}`), `o${which}`, 10),
    )
    expect(answers).toEqual(gateways.map(() => false))
    const begins = await all((gateway, which) =>
      gateway.beginEffect(effect(`b${which}`), `b${which}`, 1, 10),
    )
    expect(begins).toEqual(gateways.map(() => false))
    const now = await all((gateway, which) =>
      gateway.beginEffect(effect(`n${which}`), `n${which}`, 2, 10),
    )
    expect(now).toEqual(gateways.map(() => true))
  })

  test('H3 of gateways that activate at once, one makes the epoch, and epochs never come back', async () => {
    const activated = await Promise.allSettled(
      gateways.map((gateway, index) =>
        gateway.activateEpoch({ ...epoch(2), version: `v2 of ${index}` }),
      ),
    )
    expect(activated.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const seen = await all(async (gateway) => (await gateway.activeEpoch())?.version)
    expect(new Set(seen).size).toBe(1)
    await expect(one.activateEpoch(epoch(1))).rejects.toThrow()
    expect((await one.activeEpoch())?.number).toBe(2)
  })

  test('one signature, nonce, link, closing and ending counts once', async () => {
    for (const round of numbered(5, '')) {
      await granted(`r${round}`)
      await granted(`x${round}`)
      const signature = await all((gateway, which) =>
        gateway.beginEffect(effect(`e${round}-${which}`), `s${round}`, 1, 10),
      )
      expect(trues(signature), 'signature').toBe(1)
      expect(trues(await all((gateway) => gateway.useNonce(`n${round}`, 1))), 'nonce').toBe(1)
      const link = { tokenSha256: `t${round}`, kind: 'link', person: 'bob', key: null } as const
      await one.addSignIn({ ...link, peer: null, expiresAtMs: LONG_MS }, 9, 1)
      expect(trues(await all((gateway) => gateway.endSignIn(`t${round}`))), 'link').toBe(1)
      await one.addRequest(request(`c${round}`))
      const closed = await all((gateway, which) =>
        gateway.closeRequest(`c${round}`, which % 2 ? 'denied' : 'cancelled', 'bob', ''),
      )
      expect(trues(closed), 'closing').toBe(1)
      const ended = await all((gateway) =>
        gateway.endGrant(`g-r${round}`, { state: 'revoked', by: null, why: 'x' }),
      )
      expect(trues(ended), 'ending').toBe(1)
      const [used, revoked] = await Promise.all([
        gateways[2]?.consumeGrant(`g-x${round}`, effect(`x${round}`), `xs${round}`, 10),
        gateways[3]?.endGrant(`g-x${round}`, { state: 'revoked', by: 'carol', why: 'x' }),
      ])
      expect(used, 'used or revoked').toBe(!revoked)
    }
  })

  test('no more children, sign-ins or plans than may be, whoever adds them at once', async () => {
    const children = await Promise.all(
      numbered(12, 'k').map((id, index) =>
        (gateways[index % GATEWAYS] as Store).addChild(session(id, { parent: 's' }), 'KEYs', 5, 10),
      ),
    )
    expect(trues(children)).toBe(5)
    expect(await one.openChildren('s', 10)).toBe(5)
    const signIns = await Promise.all(
      numbered(12, 't').map((tokenSha256, index) => {
        const of = { tokenSha256, kind: 'cli', person: 'bob', key: null, peer: null } as const
        return (gateways[index % GATEWAYS] as Store).addSignIn({ ...of, expiresAtMs: 99 }, 3, 10)
      }),
    )
    expect(trues(signIns)).toBe(3)
    expect(trues(await all((gateway, which) => gateway.addPlan(plan(`p-${which}`))))).toBe(1)
  })

  test('the steps of a plan have each number once, and what is submitted is all there is', async () => {
    await one.addPlan(plan('p'))
    const step = { operation: 'x', actionDigest: 'a', digest: 'd', follows: [], content: '{}' }
    const added = await Promise.all(
      numbered(12, '').map((_, index) =>
        (gateways[index % GATEWAYS] as Store).addStep('p', step, 10),
      ),
    )
    const numbers = added.filter((number) => number !== null).sort((a, b) => a - b)
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const some = numbers.slice(0, 9).map((number) => ({ number, digest: 'd', follows: [] }))
    expect(await one.submitPlan('p', some)).toBe(false)
    const every = numbers.map((number) => ({ number, digest: 'd', follows: [] }))
    expect(trues(await all((gateway) => gateway.submitPlan('p', every)))).toBe(1)
    expect(await one.addStep('p', step, 99)).toBe(null)

    await granted('p')
    for (const number of [1, 2]) {
      const used = await all((gateway, which) =>
        gateway.consumeStep(
          { plan: 'p', step: number },
          effect(`e${number}-${which}`),
          `s${number}-${which}`,
          10,
        ),
      )
      expect(trues(used), `step ${number}`).toBe(1)
      const next = { plan: 'p', step: number + 1 }
      expect(await one.consumeStep(next, effect(`n${number}`), `n${number}`, 10)).toBe(false)
      await one.endStep({ plan: 'p', step: number })
    }
  })

  test('a break-glass is used as often as it may be, and open once for an operator', async () => {
    const glass = {
      ...{ sessionId: 's', operator: 'alice', reason: '', effects: [], resources: [] },
      ...({ strength: 'hardware', epoch: 1, used: 0, closedAtMs: null } as const),
      ...{ openedAtMs: 1, untilMs: LONG_MS, effectsMax: 3 },
    }
    const opened = await all((gateway, which) =>
      gateway.addBreakGlass({ ...glass, id: `b-${which}` }),
    )
    expect(trues(opened)).toBe(1)
    const { id = '' } = (await one.liveBreakGlass('s', 1, 10)) ?? {}
    const used = await Promise.all(
      numbered(10, 'e').map((name, index) =>
        (gateways[index % GATEWAYS] as Store).useBreakGlass(id, effect(name), name, 10),
      ),
    )
    expect(trues(used)).toBe(3)
    expect(await one.liveBreakGlass('s', 1, 10)).toBe(undefined)
  })

  test('C10 an approval by somebody who is removed at that moment makes no grant that works', async () => {
    for (const round of numbered(4, '')) {
      const person = `p${round}`
      const nobodyYet = { teams: [], keys: [], identities: [] }
      const adds = { kind: 'add-person', person, ...nobodyYet } as const
      await one.applyPeopleChange(adds, 2, 2 * Number(round))
      await one.addRequest(request(`r${round}`))
      const seen = await one.peopleVersion()
      const [made] = await Promise.all([
        one.addGrant(grant(`r${round}`), review(`r${round}`, person), seen),
        gateways[1]?.applyPeopleChange({ kind: 'remove-person', person }, 3, 2 * Number(round) + 1),
      ])
      const used = await one.consumeGrant(`g-r${round}`, effect(`e${round}`), `s${round}`, 10)
      expect({ made, used }).toMatchObject({ used: false })
    }
  })

  test('a session that is closed while its grant is used: one of the two came first', async () => {
    for (const round of numbered(4, '')) {
      const id = `z${round}`
      await one.addSession(session(id))
      await one.addRequest({ ...request(`r${round}`), sessionId: id })
      const of = { ...grant(`r${round}`), sessionId: id }
      expect(await one.addGrant(of, review(`r${round}`), await one.peopleVersion())).toBe(true)
      const [used] = await Promise.all([
        one.consumeGrant(`g-r${round}`, { ...effect(`e${round}`), sessionId: id }, id, 10),
        gateways[1]?.closeSession(id, 10),
      ])
      const { state } = (await one.grantForRequest(`r${round}`)) ?? {}
      expect(state).toBe(used ? 'consumed' : 'revoked')
    }
  })
}

function plan(id: string): PlanRow {
  const of = {
    sessionId: 's',
    operator: 'alice',
    state: 'recording',
    reason: '',
    epoch: 1,
  } as const
  return { id, ...of, openedAtMs: 1, stoppedAt: null, why: null }
}
