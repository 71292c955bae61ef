// Makes the reply to a call that is not carried out, in the protocol of the request. The one place
// where an error becomes words for a caller: only what a typed error says of itself leaves, the rest
// is "could not tell".

import { CallError } from '@seconder/aws/call-errors'
import { EndpointError } from '@seconder/aws/endpoints/errors'
import type { ReplyCode } from '@seconder/aws/reply/error-codes'
import { errorReply } from '@seconder/aws/reply/error-reply'
import { replyProtocol, wantsQueryCode } from '@seconder/aws/reply/reply-protocol'
import { replyCodeOfSignature } from '@seconder/aws/reply/signature-refusal'
import { SigV4Error } from '@seconder/aws/sigv4/errors'
import type { WireHead } from '@seconder/aws/wire-request'
import { LedgerError, type LedgerErrorCode } from '@seconder/ledger/errors'
import { GatewayError, type GatewayErrorCode } from '../errors.ts'
import type { Outcome } from '../execute/outcome.ts'
import { UpstreamSilence } from '../execute/upstream.ts'
import { randomId } from '../lib/ids.ts'
import type { Reply } from '../receive/received.ts'

export interface Refusal {
  /** Stable code for the ledger. */
  readonly code: string
  readonly reply: ReplyCode
  readonly message: string
  /** Id of the review request, where there is one. */
  readonly requestId: string | null
  /** Where people see that request. */
  readonly url?: string
  /** What nobody expected, for the log of the gate alone. */
  readonly cause?: unknown
}

/** What a refused caller gets. */
export function refusal(received: { readonly request: WireHead }, refused: Refusal): Reply {
  const requestId = refused.requestId ?? randomId('x')
  const { status, headers, body } = errorReply({
    protocol: replyProtocol(received.request),
    code: refused.reply,
    message: refused.message,
    requestId,
    wantsQueryCode: wantsQueryCode(received.request),
    isHead: received.request.method === 'HEAD',
  })
  // Also for a HEAD, which has no body to say it in, and for wrappers that read no body.
  const links: [string, string][] = []
  if (refused.requestId) links.push(['x-seconder-request', refused.requestId])
  if (refused.url) links.push(['x-seconder-url', refused.url])
  return { status, headers: [...headers, ...links], body }
}

export function held(message: string, requestId: string, url: string): Refusal {
  return { code: 'review', reply: 'AccessDenied', message, requestId, url }
}

export function denied(message: string, code: string): Refusal {
  return { code, reply: 'AccessDenied', message, requestId: null }
}

/** What the caller is told when a write was sent, or not, and no answer came. */
export function noAnswer(received: { readonly request: WireHead }, outcome: Outcome): Reply {
  const unknown = outcome.result === 'unknown'
  return refusal(received, {
    code: unknown ? 'outcome_unknown' : 'not_sent',
    reply: unknown ? 'OutcomeUnknown' : 'Unavailable',
    message: unknown
      ? 'Seconder sent this call and no answer came: it may have happened. Look before you run it again; another run is decided afresh.'
      : 'Seconder could not reach the upstream; nothing was done.',
    requestId: null,
  })
}

/** Turns anything thrown on the path into a refusal. Unknown errors say nothing of themselves. */
export function failureOf(cause: unknown): Refusal {
  if (cause instanceof SigV4Error) {
    const message = `Seconder: ${cause.message}; ${cause.help}`
    return {
      code: cause.code,
      reply: replyCodeOfSignature(cause.code),
      message,
      requestId: null,
    }
  }
  if (cause instanceof CallError) {
    const reply = /^unknown_(service|operation)$/.test(cause.code)
      ? 'UnknownOperation'
      : 'MalformedRequest'
    return {
      code: cause.code,
      reply,
      message: `Seconder: ${cause.message}; ${cause.help}`,
      requestId: null,
    }
  }
  if (cause instanceof EndpointError) {
    return {
      code: 'upstream_not_allowed',
      reply: 'AccessDenied',
      message: `Seconder: ${cause.message}`,
      requestId: null,
    }
  }
  if (cause instanceof GatewayError) {
    const message = `Seconder: ${cause.message}. ${cause.help}`
    return {
      code: cause.code,
      reply: GATEWAY_REPLY[cause.code] ?? 'AccessDenied',
      message,
      requestId: null,
    }
  }
  if (cause instanceof UpstreamSilence) {
    return {
      code: 'upstream_silence',
      reply: 'Unavailable',
      message: 'Seconder: the upstream did not answer',
      requestId: null,
    }
  }
  if (cause instanceof LedgerError) {
    const why = LEDGER_WORDS[cause.code] ?? 'it failed'
    return {
      code: cause.code,
      reply: 'Unavailable',
      message: `Seconder could not record this call in the ledger (${why}), so it did nothing. Run it again; if that stays so, tell whoever runs the gate.`,
      requestId: null,
    }
  }
  return {
    code: 'internal',
    cause,
    reply: 'Unavailable',
    message:
      'Seconder could not tell whether this may happen, so it did nothing. The log of the gate says why.',
    requestId: null,
  }
}

/** What a caller may know of it; the rest is for the log. */
const LEDGER_WORDS: Partial<Record<LedgerErrorCode, string>> = {
  ledger_stopped: 'this gateway records nothing any more',
  ledger_closed: 'this gateway is stopping',
  queue_full: 'too many entries wait for their place',
}

const GATEWAY_REPLY: Partial<Record<GatewayErrorCode, ReplyCode>> = {
  body_too_large: 'RequestTooLarge',
  session_closed: 'UnknownAccessKey',
  session_unknown: 'UnknownAccessKey',
  wrong_host: 'MalformedRequest',
  gate_refusing: 'Unavailable',
  clock_behind: 'Unavailable',
  credentials_unavailable: 'Unavailable',
  outcome_unrecorded: 'OutcomeUnknown',
  state_error: 'Unavailable',
  state_unknown: 'Unavailable',
}
