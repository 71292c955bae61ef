// Before a policy is signed: what it would have answered to what this gate was asked, as each signer sees it.
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import type { DryRunResult } from '@seconder/gateway/dry-run/dry-run'
import { sha256Hex } from '@seconder/gateway/lib/canonical-json'
import { payloadPath } from '@seconder/ledger/layout'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { nonce } from './acts.ts'
import { CommandLine, jsonOf } from './command.ts'
import { Harness, requestIdIn } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness
let commands: CommandLine

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  commands.remove()
})

const removal = () => new DeleteTableCommand({ TableName: 'orders' })

test('whoever signs an epoch is shown what it would have changed, and the signature names it', async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  commands = new CommandLine(gate)
  const client = gate.dynamodb(await gate.open('alice', 'kiro'))
  await client.send(new ListTablesCommand())
  const held = await client.send(removal()).catch((error: unknown) => error)
  await gate.review('bob', requestIdIn(held))
  await client.send(removal())
  const policies = join(gate.folder, 'policies')
  cpSync(gate.config().policiesDirectory, policies, { recursive: true })
  const forbid =
    '@id("no-loss") forbid (principal is Agent, action == Action::"destroy", resource);\n'
  writeFileSync(join(policies, 'no-loss.cedar'), forbid)
  await gate.restartWith(policies)

  const made = await gate.client.get<{ text: string; digest: string }>(
    '/api/epochs/candidate/dry-run',
  )
  expect(sha256Hex(made.text)).toBe(made.digest)
  const tried = JSON.parse(made.text) as DryRunResult
  expect(tried).toMatchObject({
    from: 1,
    calls: 2,
    totals: { 'newly-denied': 1, 'newly-allowed': 0 },
    unknown: [],
    errors: [],
    changes: [
      {
        kind: 'newly-denied',
        effect: 'destroy',
        operation: 'dynamodb:DeleteTable',
        environments: ['production'],
        agent: 'kiro',
        operator: 'alice',
        role: 'deploy',
        before: { answer: 'review', requirement: ['sre:1'] },
        after: { answer: 'deny', policies: ['no-loss'] },
      },
    ],
  })
  // The same from the ledger's files alone, by whoever has them.
  const ledger = join(gate.folder, 'ledger')
  const own = ['policy', 'dry-run', '--ledger', ledger, '--policy', policies, '--json']
  const alone = await commands.person(null, ...own)
  expect([alone.code, (JSON.parse(alone.out) as DryRunResult).changes]).toEqual([0, tried.changes])

  const signed = await commands.person('bob', 'policy', 'activate')
  expect(signed.out).toMatch(
    /destroy +newly denied +dynamodb:DeleteTable +production +kiro for alice/,
  )
  expect(signed.out).toContain(`Result ${made.digest}`)
  // What nobody was shown cannot be named.
  const { version } = await gate.client.get<{ version: string }>('/api/epochs/candidate')
  const { gate: id } = await gate.client.facts()
  const expiresAt = new Date(Date.now() + 600_000).toISOString()
  const said = { gate: id, from: 1, version, signer: 'carol', nonce: nonce(), expiresAt }
  const statement = { type: 'seconder-epoch@v1', ...said, dryRun: sha256Hex('x') }
  const lie = await gate.act('carol', statement, 'seconder-epoch@v1')
  await expect(gate.client.post('/api/epochs', lie)).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  // Nor does it name what its signer was not shown.
  const last = await commands.person('carol', 'policy', 'activate', '--json')
  expect(jsonOf(last)).toMatchObject({ activated: true })
  expect(await gate.client.facts()).toMatchObject({ epoch: 2 })
  const entry = (await gate.entries()).find(
    ({ epoch, type }) => type === 'epoch-activated' && epoch === 2,
  )
  const acts = entry?.['acts'] as readonly { statement: string }[]
  expect(acts.map((act) => JSON.parse(act.statement).dryRun)).toEqual([made.digest, undefined])
  const text = await gate.running.gate.recorder.payload(made.digest)
  expect(JSON.parse(text)).toMatchObject({ format: 'seconder-dry-run@v1', version })
  // docs/ledger.md: whoever runs the gate finds its file by this, and the ledger verifies without it.
  expect(text).toContain('"format":"seconder-dry-run@v1"')
  rmSync(join(ledger, payloadPath(made.digest)))
})
