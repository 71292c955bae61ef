// What tests of the whole path say about acts and answers: signed statements as a hostile client would
// make them, and the check that a refusal is clean.
import { randomUUID } from 'node:crypto'
import type { WireRequest } from '@seconder/aws/wire-request'
import type { Config } from '@seconder/gateway/config'
import { EPOCH_NAMESPACE } from '@seconder/gateway/epoch/activation'
import { CLOSING_NAMESPACE } from '@seconder/gateway/identify/session-closing'
import type { Clock } from '@seconder/gateway/lib/clock'
import { checkDocument } from '@seconder/gateway/review/document'
import { REVIEW_NAMESPACE } from '@seconder/gateway/review/statement'
import { serve } from '@seconder/gateway/serve'
import { expect } from 'vitest'
import { REAL_KEY } from '../fakes/upstream.ts'
import { type Harness, type Keys, requestIdIn } from './harness.ts'
import type { RawAnswer } from './wire.ts'

export const nonce = () => randomUUID().replaceAll('-', '')
export const idIn = (answer: RawAnswer) => requestIdIn(new Error(answer.body))

/** A verdict of bob's as the CLI would make it, with some members changed, signed by `signer`. */
export async function reviewAct(
  gate: Harness,
  id: string,
  changes: Record<string, string | number> = {},
  signer = 'bob',
) {
  return gate.act(signer, await reviewStatement(gate, id, changes, signer), REVIEW_NAMESPACE)
}

export async function reviewStatement(
  gate: Harness,
  id: string,
  changes: Record<string, string | number> = {},
  signer = 'bob',
) {
  const { gate: gateId, checkpoint } = await gate.client.facts()
  const full = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
  const { document, shown } = checkDocument(full.document)
  return {
    type: 'seconder-review@v1',
    verdict: 'approve',
    gate: gateId,
    epoch: document.epoch,
    request: id,
    digest: document.digest,
    shown,
    reviewer: signer,
    comment: '',
    nonce: nonce(),
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    checkpoint: { ...checkpoint },
    ...changes,
  }
}

export async function closeSession(gate: Harness, keys: Keys, signer = 'alice') {
  const { gate: gateId } = await gate.client.facts()
  const statement = {
    type: 'seconder-session-close@v1',
    gate: gateId,
    session: keys.sessionId,
    signer,
    nonce: nonce(),
    signedAt: new Date().toISOString(),
  }
  const act = await gate.act(signer, statement, CLOSING_NAMESPACE)
  return gate.client.post<{ cancelledRequests: string[] }>('/api/sessions/close', act)
}

/** A clock that stands until a test moves it. */
export class FrozenClock implements Clock {
  #nowMs = Date.now()
  nowMs(): number {
    return this.#nowMs
  }
  advance(ms: number): void {
    this.#nowMs += ms
  }
}

/** Starts the gate of a harness again, under a clock of the test's own. */
export async function underClock(
  gate: Harness,
  clock: Clock,
  changes: Partial<Config> = {},
): Promise<void> {
  await gate.running.close()
  gate.running = await serve(
    {
      ...gate.config(),
      ...changes,
      listen: { aws: addressOf(gate.running.awsUrl), console: addressOf(gate.running.consoleUrl) },
    },
    clock,
  )
}

function addressOf(url: string) {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

/** No secret access key, no signature, and none of these texts is in what left the gate. */
export async function expectNothingLeaked(
  gate: Harness,
  keys: Keys,
  answer: Pick<RawAnswer, 'headers' | 'body'>,
  request: Pick<WireRequest, 'headers'>,
  bodyText = '',
): Promise<void> {
  const signature = signatureOf(request)
  const said = JSON.stringify([answer.headers, answer.body, await gate.entries()])
  for (const secret of [
    keys.secretAccessKey,
    REAL_KEY.secretAccessKey,
    REAL_KEY.accessKeyId,
    ...(signature === '' ? [] : [signature]),
    ...(bodyText === '' ? [] : [bodyText]),
  ]) {
    expect(said.includes(secret)).toBe(false)
  }
}

export function signatureOf({ headers }: Pick<WireRequest, 'headers'>): string {
  const authorization = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1]
  return /Signature=([0-9a-f]{64})/.exec(authorization ?? '')?.[1] ?? ''
}

/** The policies on the disk as the next epoch, by the signatures of these people; returns its number. */
export async function activateEpoch(gate: Harness, signers: readonly string[]): Promise<number> {
  const { version } = await gate.client.get<{ version: string }>('/api/epochs/candidate')
  const { gate: gateId, epoch: from } = await gate.client.facts()
  for (const signer of signers) {
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const type = 'seconder-epoch@v1'
    const statement = { type, gate: gateId, from, version, signer, nonce: nonce(), expiresAt }
    await gate.client.post('/api/epochs', await gate.act(signer, statement, EPOCH_NAMESPACE))
  }
  return (await gate.client.facts()).epoch
}
