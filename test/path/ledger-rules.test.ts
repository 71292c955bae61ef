// A host that holds the ledger's key writes what never was reviewed into a real gate's ledger: the tree holds
// together, and the rules between entries do not.
import { createPrivateKey } from 'node:crypto'
import { cpSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { openLedger } from '@seconder/ledger/ledger'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let entries: readonly Record<string, unknown>[]

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  const keys = await gate.open('alice')
  const call = dynamodbCall('DeleteTable', { TableName: 'orders' })
  const held = await rawCall(keys, call)
  await gate.review('bob', requestIdIn(new Error(held.body)))
  await rawCall(keys, call)
  await gate.running.close()
  entries = await gate.entries()
})

afterAll(async () => {
  rmSync(gate.folder, { recursive: true, force: true })
  await upstream.close()
})

/** What `ledger verify` says when the host adds these entries under the gate's own key. */
async function forged(...added: object[]): Promise<string[]> {
  const directory = join(gate.folder, `forged-${crypto.randomUUID()}`)
  cpSync(join(gate.folder, 'ledger'), directory, { recursive: true })
  const signer = createPrivateKey(readFileSync(join(gate.folder, 'state', 'ledger.key')))
  const key = readFileSync(join(gate.folder, 'ledger.vkey'), 'utf8').trim()
  const [origin = ''] = key.split('+')
  const ledger = await openLedger({ directory, origin, signer })
  for (const entry of added) await ledger.append(Buffer.from(JSON.stringify(entry)))
  await ledger.close()
  utimesSync(directory, 0, 0) // nobody is at it: what is wrong is not looked at again
  const { report } = await verifyLedgerFolder(directory, { key })
  return report.problems.map(({ code, message }) => `${code}: ${message}`)
}

const of = (type: string) => entries.findLast((entry) => entry['type'] === type) ?? {}
const at = () => new Date().toISOString()

test('the ledger as the gate wrote it holds', async () => {
  expect(await forged()).toEqual([])
})

test('an effect made again under a used grant, under none, or by nobody, is named', async () => {
  const again = { ...of('intent'), at: at(), effect: 'e-again', signature: 'f'.repeat(64) }
  expect(await forged(again)).toEqual([
    'rule_broken: its grant was never made, was used before, or had ended',
  ])
  const bare = { ...again, grant: null, request: null, policies: [] }
  expect(await forged(bare)).toEqual(['rule_broken: nothing permitted it'])
  expect(await forged({ ...bare, policies: ['p'], session: 's-nobody' })).toEqual([
    'rule_broken: its session was never opened',
  ])
  expect(await forged({ ...of('intent'), at: at() })).toEqual([
    'rule_broken: its effect was begun before',
  ])
})

test('a grant without its reviews, by the operator, or a review nobody signed, is named', async () => {
  const asked = { ...of('request-opened'), at: at(), request: 'r-forged' }
  const made = { ...of('grant-made'), at: at(), grant: 'g-forged', request: 'r-forged' }
  expect(await forged(asked, made)).toEqual([
    'rule_broken: one of its reviewers never approved the request',
  ])
  expect(await forged(asked, { ...made, reviewers: ['alice'] })).toEqual([
    'rule_broken: the operator is among its reviewers',
  ])
  const review = { ...of('review'), at: at(), request: 'r-forged' }
  expect(await forged(asked, review, made)).toContain(
    'act_invalid: a signed act in it does not hold: its statement was used before',
  )
})
