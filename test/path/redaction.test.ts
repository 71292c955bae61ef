// Payloads beside the ledger that two people drop, at the public doors: the digest and every proof stay, what is still
// needed stays, and neither the gate's host nor one person alone makes anything disappear unsaid.
import { createPrivateKey } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBreakGlass, readBreakGlass, reviewBreakGlass } from '@seconder/cli/breaking-glass'
import { incidentOfFolder } from '@seconder/cli/incident-of-folder'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { lookAtPayload, signRedaction } from '@seconder/cli/redacting'
import { renderGlass } from '@seconder/cli/render/glass-account'
import { signerFor } from '@seconder/cli/signing'
import { serve } from '@seconder/gateway/serve'
import { openLedger } from '@seconder/ledger/ledger'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { CommandLine } from './command.ts'
import { ACCOUNT, Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const REASON = 'a customer name stood in a tag'
const TEAMS = { alice: ['sre'], bob: ['sre'], carol: [], dave: [] }
const ORDERS = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`
const GLASS = `@id("glass") @reason("break-glass")
permit (principal is Agent, action in Action::"change", resource in Environment::"production")
when { context.breakGlass };`
/** These tests write into a ledger as its host could; on PostgreSQL its key is kept elsewhere. */
const isInFiles = process.env['SECONDER_TEST_STATE'] !== 'postgres'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let policies: string

beforeAll(async () => {
  upstream = await startFakeUpstream()
  policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  writeFileSync(join(policies, 'glass.cedar'), GLASS)
  gate = await Harness.start({ upstream: upstream.url, policies, breakGlass: true, teams: TEAMS })
  keys = await gate.open('alice')
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(policies, { recursive: true, force: true })
})

const remove = (table: string) => dynamodbCall('DeleteTable', { TableName: table })

/** A request that waits, with the payload of its document. */
async function held(table: string) {
  const answer = await rawCall(keys, remove(table))
  const id = requestIdIn(new Error(answer.body))
  const { payload } = await lookAtPayload(gate.client, id)
  return { id, payload, file: fileOf(payload) }
}

async function denied(table: string) {
  const request = await held(table)
  await gate.review('bob', request.id, 'deny')
  return request
}

const fileOf = (payload: string, ledger = 'ledger') =>
  join(gate.folder, ledger, 'payload', payload.slice(0, 2), payload)

async function redact(person: string, payload: string, reason = REASON) {
  const signer = await signerFor(gate.client, gate.keys.get(person))
  return signRedaction(gate.client, signer, { payload, reason })
}

async function summaryOf(id: string): Promise<string | undefined> {
  type Listed = { readonly requests: readonly { requestId: string; summary: string }[] }
  const { requests } = await gate.client.get<Listed>('/api/requests')
  return requests.find(({ requestId }) => requestId === id)?.summary
}

test('two people drop a document: its digest stays, readers are told who and why, the ledger verifies', async () => {
  const { id, payload, file } = await denied('carts')
  // A list that was shown before remembers what it read.
  expect(await summaryOf(id)).toContain('carts')
  expect(await redact('alice', payload)).toMatchObject({ redacted: false, missing: 1 })
  expect(existsSync(file)).toBe(true)
  expect(await redact('alice', payload)).toMatchObject({ redacted: false, missing: 1 })
  expect(await redact('bob', payload)).toMatchObject({ redacted: true, signers: ['alice', 'bob'] })
  expect(existsSync(file)).toBe(false)
  const words = expect.stringMatching(
    /^redacted by alice and bob on 20..-..-.. ..:.. UTC: a customer name stood in a tag$/,
  )
  expect(await gate.client.get(`/api/requests/${id}`)).toMatchObject({
    document: null,
    gone: words,
  })
  expect(await summaryOf(id)).toEqual(words)
  const entries = await gate.entries()
  expect(entries.find(({ type }) => type === 'redacted')).toMatchObject({
    ...{ payload, reason: REASON, by: ['alice', 'bob'], session: keys.sessionId },
  })
  expect(entries.find((entry) => entry['request'] === id)?.['document']).toBe(payload)
  await expect(redact('carol', payload)).rejects.toMatchObject({ code: 'payload_kept' })
  const selection = { since: '', until: '', resource: 'carts', session: '' }
  const folder = { selection, candidates: [], impact: null }
  const incident = JSON.stringify(await incidentOfFolder(join(gate.folder, 'ledger'), folder))
  expect(incident).toContain('a document that is not there any more: redacted by alice and bob on')
})

test('what an open request, an approval or an effect needs, and what an epoch decides by, stays', async () => {
  const { id, payload } = await held('needed')
  const refused = (why: string) =>
    expect(redact('bob', payload)).rejects.toMatchObject({
      ...{ code: 'payload_kept', message: expect.stringContaining(why) },
    })
  await refused(`request ${id} is open`)
  await gate.review('bob', id)
  await refused(`what was approved of request ${id} can be used`)
  let begun: (() => void) | undefined
  const isBegun = new Promise<void>((resolve) => {
    begun = resolve
  })
  let end: (() => void) | undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const { script } = upstream
  upstream.script = async (seen) => {
    if (seen.operation === 'DeleteTable') {
      begun?.()
      await ended
    }
    return script(seen)
  }
  const running = rawCall(keys, remove('needed'))
  await isBegun
  await refused('has not ended')
  end?.()
  expect((await running).status).toBe(200)
  upstream.script = script
  const entries = await gate.entries()
  const content = String(entries.find(({ type }) => type === 'epoch-activated')?.['content'])
  await expect(redact('bob', content)).rejects.toMatchObject({
    message: expect.stringContaining('an epoch decides by it'),
  })
  await expect(redact('bob', 'ab'.repeat(32))).rejects.toMatchObject({
    message: expect.stringContaining('no request and no call names it'),
  })
  // Nothing of all this was taken for a first signature.
  expect((await lookAtPayload(gate.client, payload)).waiting).toEqual([])
})

test('a signature counts for one payload, one reason and one gate, once, in time, and while its key does', async () => {
  const { payload } = await denied('bound')
  const { payload: other } = await denied('other')
  await redact('alice', payload)
  await redact('bob', payload, 'quite another reason')
  await redact('bob', other)
  expect((await lookAtPayload(gate.client, payload)).waiting).toEqual([
    { reason: REASON, signers: ['alice'] },
    { reason: 'quite another reason', signers: ['bob'] },
  ])
  const { gate: id } = await gate.client.facts()
  const signedAt = new Date().toISOString()
  const statement = {
    type: 'seconder-redaction@v1',
    gate: id,
    payload,
    reason: REASON,
    signer: 'bob',
  }
  const sent = async (changes: object, person = 'bob', namespace = 'seconder-redaction@v1') => {
    const full = { ...statement, signedAt, nonce: crypto.randomUUID(), ...changes }
    return gate.client.post('/api/redactions', await gate.act(person, full, namespace))
  }
  const invalid = { code: 'statement_invalid' }
  await expect(sent({ gate: 'ff'.repeat(32) })).rejects.toMatchObject(invalid)
  await expect(sent({ signer: 'dave' })).rejects.toMatchObject(invalid)
  await expect(sent({ reason: 'short' })).rejects.toMatchObject(invalid)
  await expect(sent({ signedAt: '2020-01-01T00:00:00.000Z' })).rejects.toMatchObject(invalid)
  await expect(sent({}, 'bob', 'seconder-review@v1')).rejects.toMatchObject({
    code: 'signature_invalid',
  })
  expect(existsSync(fileOf(payload))).toBe(true)
})

test('what was kept of a call by break-glass stays until two others have looked', async () => {
  const alice = await signerFor(gate.client, gate.keys.get('alice'))
  const { id } = await openBreakGlass(gate.client, alice, {
    ...{ session: keys.sessionId, reason: 'the site is down and nobody answers' },
    ...{ effects: ['tag'], resources: [ORDERS], minutes: 15, effectsMax: 1 },
  })
  const tagged = { ResourceArn: ORDERS, Tags: [{ Key: 'a', Value: 'a customer name' }] }
  expect((await rawCall(keys, dynamodbCall('TagResource', tagged))).status).toBe(200)
  const entries = await gate.entries()
  const payload = String(entries.findLast(({ breakGlass }) => breakGlass === id)?.['document'])
  const needed = {
    message: expect.stringContaining(`the after-review of break-glass ${id} is open`),
  }
  await expect(redact('alice', payload)).rejects.toMatchObject(needed)
  for (const person of ['bob', 'carol']) {
    await expect(redact('bob', payload)).rejects.toMatchObject(needed)
    const signer = await signerFor(gate.client, gate.keys.get(person))
    await reviewBreakGlass(gate.client, signer, await readBreakGlass(gate.client, id), 'looked')
  }
  await redact('alice', payload)
  await redact('dave', payload)
  expect(existsSync(fileOf(payload))).toBe(false)
  expect(renderGlass(await readBreakGlass(gate.client, id))).toContain('redacted by alice and dave')
  await gate.checkLedger()
})

test('the command looks, signs second for the reason of the first, and shows what is gone', async () => {
  const { id, payload } = await denied('by-command')
  const cli = new CommandLine(gate)
  await redact('bob', payload)
  const second = await cli.person('dave', 'ledger', 'redact', id)
  expect(second.err).toContain(`signed by bob: ${REASON}`)
  expect(second.out).toContain('Redacted, signed by bob and dave.')
  expect(existsSync(fileOf(payload))).toBe(false)
  const shown = await cli.person('dave', 'request', 'show', id)
  expect(shown.out).toContain(`What its reviewers were shown: redacted by bob and dave on`)
  expect(shown.out).toContain('State denied by bob')
  cli.remove()
})

/** What `ledger verify` says when the host adds these entries under the gate's own key, to a copy of its files. */
async function forged(
  added: readonly object[],
  change: (ledger: string) => void = () => undefined,
) {
  const name = `forged-${crypto.randomUUID()}`
  const directory = join(gate.folder, name)
  cpSync(join(gate.folder, 'ledger'), directory, { recursive: true })
  const signer = createPrivateKey(readFileSync(join(gate.folder, 'state', 'ledger.key')))
  const key = readFileSync(join(gate.folder, 'ledger.vkey'), 'utf8').trim()
  const ledger = await openLedger({ directory, origin: key.split('+')[0] ?? '', signer })
  for (const entry of added) await ledger.append(Buffer.from(JSON.stringify(entry)))
  await ledger.close()
  change(name)
  utimesSync(directory, 0, 0)
  const { report } = await verifyLedgerFolder(directory, { key })
  const problems = report.problems.map(({ code, message }) => `${code}: ${message}`)
  return { problems, unfinished: report.unfinished.map(({ message }) => message) }
}

test.skipIf(!isInFiles)(
  'what is missing without an entry, or by one that is made up, is named; so is what was put back',
  async () => {
    const { payload, id } = await denied('forged')
    const waiting = await held('waiting')
    await redact('alice', payload)
    await redact('bob', payload)
    const { payload: left } = await denied('left')
    await gate.running.close()
    const entries = await gate.entries()
    const real = entries.findLast(({ type }) => type === 'redacted') ?? {}
    const opened = entries.find((entry) => entry['request'] === id) ?? {}
    const at = new Date().toISOString()
    const drop = (digest: string) => (ledger: string) => rmSync(fileOf(digest, ledger))

    const gone =
      'missing_file: the entry names it, and it is not there; no entry says that it was dropped'
    expect((await forged([], drop(left))).problems).toEqual([gone])
    // The signatures of another redaction, one of them twice, none, or the entry of another gate's people.
    const { acts } = real as { acts: object[] }
    for (const change of [
      { payload: left },
      { payload: left, acts: [acts[0], acts[0]] },
      { payload: left, acts: [] },
    ]) {
      const { problems } = await forged([{ ...real, ...change, at }], drop(left))
      expect(problems.join()).toContain('act_invalid: a signed act in it does not hold')
    }
    const early = await forged([{ ...real, at, payload: waiting.payload }], drop(waiting.payload))
    expect(early.problems).toContain(
      `rule_broken: its payload must stay: request ${waiting.id} is open`,
    )
    expect(early.problems).toContain(gone)
    // Retention that no epoch says.
    const aged = { type: 'retention-ended', at, payloads: [left], epoch: 1, days: 1 }
    expect((await forged([aged], drop(left))).problems).toEqual([
      'rule_broken: no epoch in force says that payloads are kept so long and no longer',
      gone,
    ])
    // What rests on a document that was dropped.
    const grant = {
      type: 'grant-made',
      at,
      grant: 'g',
      request: id,
      digest: opened['digest'],
      reviewers: ['bob'],
    }
    expect((await forged([{ ...grant, expiresAt: at }])).problems).toContain(
      'rule_broken: what its reviewers were shown was dropped before',
    )
    const put = (bytes: string) => (ledger: string) => writeFileSync(fileOf(payload, ledger), bytes)
    expect((await forged([], put('other bytes'))).problems).toEqual([
      'wrong_content: its SHA-256 is not its name',
    ])
    await gate.restart()
  },
)

test.skipIf(!isInFiles)(
  'a crash between the entry and the drop: the next start drops it, and until then it is said',
  async () => {
    const { payload, file } = await denied('crash')
    const bytes = readFileSync(file)
    await redact('alice', payload)
    await redact('bob', payload)
    const { store } = gate.running.gate
    await store.setMeta('payloads-dropping', JSON.stringify([payload]))
    await gate.running.close()
    writeFileSync(file, bytes)
    const { problems, unfinished } = await forged([])
    expect(problems).toEqual([])
    expect(unfinished.join()).toContain('it is still there, and was redacted by alice and bob')
    await gate.restart()
    await expect.poll(() => existsSync(file), { timeout: 60_000 }).toBe(false)
  },
)

test('retention of the epoch in force drops what is older, says by which epoch, and the ledger verifies', async () => {
  const aged = await Harness.start({ upstream: upstream.url, retention: { payloadDays: 30 } })
  const session = await aged.open('alice')
  const answer = await rawCall(session, remove('aged'))
  const id = requestIdIn(new Error(answer.body))
  await aged.review('bob', id, 'deny')
  const { payload } = await lookAtPayload(aged.client, id)
  const file = join(aged.folder, 'ledger', 'payload', payload.slice(0, 2), payload)
  await aged.running.close()
  expect(existsSync(file)).toBe(true)
  const DAYS_31 = 31 * 24 * 60 * 60_000
  const later = await serve(aged.config(), { nowMs: () => Date.now() + DAYS_31 })
  await expect.poll(() => existsSync(file), { timeout: 60_000 }).toBe(false)
  expect(await later.gate.payloads.goneWords(payload)).toMatch(
    /^dropped on 20..-..-.. ..:.. UTC: payloads are kept for 30 days by epoch 1, signed by the files of the first start$/,
  )
  await later.close()
  const entries = await aged.entries()
  expect(entries.find(({ type }) => type === 'retention-ended')).toMatchObject({
    ...{ payloads: [payload], epoch: 1, days: 30 },
  })
  rmSync(aged.folder, { recursive: true, force: true })
})
