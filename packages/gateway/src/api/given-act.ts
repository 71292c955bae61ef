// Reads what a client sends as a signed act: a statement with an SSH signature, or with what a browser got
// from a passkey. Nothing is believed here; the gate verifies it.
import { ASSERTION_BYTES_MAX } from '@seconder/ledger/assertion'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { ACT_CHARS_MAX, type GivenAct } from '../lib/signed-act.ts'

const STATEMENT = z.string().max(ACT_CHARS_MAX)
const BASE64URL = z
  .string()
  .max(2 * ASSERTION_BYTES_MAX)
  .regex(/^[A-Za-z0-9_-]+$/)

/** Source: https://www.w3.org/TR/webauthn-3/#dictdef-authenticationresponsejson; the rest is not needed. */
const ASSERTED = z.strictObject({
  statement: STATEMENT,
  assertion: z.object({
    id: BASE64URL,
    response: z.object({
      authenticatorData: BASE64URL,
      clientDataJSON: BASE64URL,
      signature: BASE64URL,
    }),
  }),
})

const SIGNED = z.strictObject({
  statement: STATEMENT,
  signature: z.string().max(ACT_CHARS_MAX),
  publicKey: z.string().max(ACT_CHARS_MAX),
})

export interface JsonRequest {
  json(): Promise<unknown>
  header(name: string): string | undefined
}

/** Errors: `statement_invalid`. */
export async function givenAct(request: JsonRequest): Promise<GivenAct> {
  const body = await jsonBody(request)
  const signed = SIGNED.safeParse(body)
  if (signed.success) return signed.data
  const asserted = ASSERTED.safeParse(body)
  if (!asserted.success) {
    throw notAnAct(
      'the body is neither {statement, signature, publicKey} nor {statement, assertion}',
    )
  }
  const { statement, assertion } = asserted.data
  return { statement, credentialId: assertion.id, assertion: assertion.response }
}

/** Errors: `statement_invalid`; a body over the limit is refused as what it is. */
export async function jsonBody(request: JsonRequest): Promise<unknown> {
  // A page of another origin can send a form or text, never this type without being asked first.
  if (request.header('content-type')?.split(';')[0] !== 'application/json') {
    throw notAnAct('the body is not application/json')
  }
  try {
    return await request.json()
  } catch (cause) {
    if (cause instanceof SyntaxError) throw notAnAct('the body is not JSON')
    throw cause
  }
}

function notAnAct(message: string): GatewayError {
  return new GatewayError('statement_invalid', message, 'use the seconder command or the console')
}
