// Payloads beside the ledger as the API shows them: what one is for, why it is gone, and the signed act that drops it.
import { LedgerError } from '@seconder/ledger/errors'
import type { Hono } from 'hono'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import { givenAct } from './given-act.ts'
import type { ReadingEnv } from './reading.ts'

/** A payload's text, or in words why it is gone. */
export type Shown =
  | { readonly document: string; readonly gone: null }
  | { readonly document: null; readonly gone: string }

export function addPayloads(app: Hono<ReadingEnv>, gate: Gate): void {
  app.get('/api/payloads/:what', async (context) => {
    const what = context.req.param('what')
    return context.json(await gate.payloads.look(await digestOf(gate, what)))
  })
  app.post('/api/redactions', async (context) =>
    context.json(await gate.payloads.sign(await givenAct(context.req))),
  )
}

/** Errors: LedgerError `payload_unknown` where it is gone and nobody dropped it: then the ledger does not verify. */
export async function shownPayload(gate: Gate, sha256: string): Promise<Shown> {
  try {
    return { document: await gate.recorder.payload(sha256), gone: null }
  } catch (cause) {
    if (!(cause instanceof LedgerError) || cause.code !== 'payload_unknown') throw cause
    const gone = await gate.payloads.goneWords(sha256)
    if (gone === null) throw cause
    return { document: null, gone }
  }
}

/** A digest itself, or that of a request's document. */
async function digestOf(gate: Gate, what: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(what)) return what
  const request = await gate.store.request(what)
  if (request) return request.documentSha256
  throw new GatewayError(
    'request_unknown',
    'there is no request with this id, and it is no digest of a payload',
    'give the id of a request, or 64 hex digits: see `seconder ledger show`',
  )
}
