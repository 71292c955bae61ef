// C1: who sent a task to an agent is signed by its operator when the session is opened, shown to every reviewer, and
// reviews nothing that comes of it; in plans, child sessions and after-reviews neither.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentPost } from '@seconder/cli/agent-client'
import { openBreakGlass, readBreakGlass, reviewBreakGlass } from '@seconder/cli/breaking-glass'
import { incidentOfFolder } from '@seconder/cli/incident-of-folder'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { renderDocument } from '@seconder/cli/render/review-document'
import { signerFor } from '@seconder/cli/signing'
import type { GoingAhead } from '@seconder/gateway/break-glass/statement'
import { checkDocument } from '@seconder/gateway/review/document'
import { incidentMarkdown } from '@seconder/replay/incident/markdown'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const TEAMS = { alice: ['sre'], bob: ['sre'], carol: ['sre'], dave: ['sre'] }
const TASK = 'August is wrong in the report; fix it'
const ORDERS = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`
const remove = (name = 'orders') => dynamodbCall('DeleteTable', { TableName: name })

let upstream: FakeUpstream
let gate: Harness
let policies: string

beforeEach(async () => {
  upstream = await startFakeUpstream()
  policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  const glass = `@id("glass") @reason("break-glass")
permit (principal is Agent, action in Action::"change", resource in Environment::"production")
when { context.breakGlass };`
  writeFileSync(join(policies, 'break-glass.cedar'), glass)
  gate = await Harness.start({ upstream: upstream.url, policies, breakGlass: true, teams: TEAMS })
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(policies, { recursive: true, force: true })
})

const sent = () => gate.open('alice', 'kiro-cli 1.22', { task: TASK, instigators: ['carol'] })
const held = async (keys: Keys, name?: string) =>
  requestIdIn(new Error((await rawCall(keys, remove(name))).body))
const refused = { code: 'not_a_reviewer', message: expect.stringContaining('sent the task') }

test('C1 whoever sent the task approves nothing of it, nor denies it in place of a second person', async () => {
  const keys = await sent()
  const id = await held(keys)
  await expect(gate.review('carol', id)).rejects.toMatchObject(refused)
  await expect(gate.review('carol', id, 'deny', 'no')).rejects.toMatchObject(refused)
  await expect(gate.review('alice', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  await gate.review('bob', id)
  expect((await rawCall(keys, remove())).status).toBe(200)
  // Of a session whose task is not hers, carol is a reviewer like the others.
  await gate.review('carol', await held(await gate.open('bob'), 'carts'))
  const entries = await gate.entries()
  const opened = entries.filter(({ type }) => type === 'session-opened')
  expect(opened[0]).toMatchObject({ task: TASK, instigators: ['carol'] })
  expect(Object.keys(opened[1] ?? {})).not.toContain('instigators')
  const { report } = await verifyLedgerFolder(gate.config().ledgerDirectory)
  expect(report.problems).toEqual([])
})

test('C1 reviewers are shown the task as its operator signed it, and who sent it', async () => {
  const id = await held(await sent())
  const shown = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
  const { document } = checkDocument(shown.document)
  expect(document.context).toMatchObject({ task: TASK, instigators: ['carol'] })
  const text = renderDocument(document, '0'.repeat(64), [])
  expect(text).toContain('Task sent by `carol` (who may not approve either)')
  expect(text).toContain('The task, in the words of `alice`:')
  expect(text).toContain(`│ ${TASK}`)
  const selection = { since: '', until: '', resource: '', session: '' }
  const folder = gate.config().ledgerDirectory
  await gate.running.close()
  const incident = await incidentOfFolder(folder, { selection, candidates: [], impact: null })
  expect(incidentMarkdown(incident)).toContain(`sent by \`carol\`, in the operator's signed words`)
})

test('C1 a plan is for others than whoever sent the task, as each of its calls is', async () => {
  const keys = await sent()
  const begun = { reason: 'clean up' }
  const { planId } = await agentPost<{ planId: string }>(
    gate.client,
    keys,
    '/api/agent/plans',
    begun,
  )
  for (const name of ['orders', 'carts']) await rawCall(keys, remove(name))
  await agentPost(gate.client, keys, '/api/agent/plans/submit', {})
  await expect(gate.review('carol', planId)).rejects.toMatchObject(refused)
  await gate.review('bob', planId)
})

test('C1 a name that is nobody, or a session opened for more than may be named, is refused', async () => {
  const open = (instigators: readonly string[], task = TASK) =>
    gate.open('alice', 'a', { task, instigators })
  await expect(open(['carl'])).rejects.toMatchObject({ code: 'statement_invalid' })
  await expect(open(Array.from({ length: 21 }, () => 'carol'))).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  await expect(open(['carol'], 'x'.repeat(2_001))).rejects.toMatchObject({
    code: 'statement_invalid',
  })
})

test('C1 what the operator did alone is looked at by others than whoever sent the task', async () => {
  const keys = await sent()
  const signer = await signerFor(gate.client, gate.keys.get('alice'))
  const asked: GoingAhead = {
    ...{ session: keys.sessionId, reason: 'nobody answers', minutes: 15, effectsMax: 1 },
    ...{ effects: ['destroy'], resources: [ORDERS] },
  }
  const { id } = await openBreakGlass(gate.client, signer, asked)
  expect((await rawCall(keys, remove())).status).toBe(200)
  const review = async (person: string) =>
    reviewBreakGlass(
      gate.client,
      await signerFor(gate.client, gate.keys.get(person)),
      await readBreakGlass(gate.client, id),
      'looked',
    )
  await expect(review('carol')).rejects.toMatchObject(refused)
  await review('bob')
  expect(await review('dave')).toMatchObject({ state: 'closed' })
})
