// Calls the gate that served this page. Types are the gate's own; errors come as it words them.

import type { Headline } from '@seconder/gateway/api/headlines'
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import type { GateFacts } from '@seconder/gateway/gate'

export type { GateFacts, ShownRequest }

/** A request in a list, with the head of its document. */
export type ListedRequest = ShownRequest & Headline

export interface ShownSession {
  readonly sessionId: string
  readonly parent: string | null
  readonly agent: string
  readonly operator: string
  readonly role: string
  readonly roleArn: string
  readonly openedAt: string
  readonly expiresAt: string
  readonly closedAt: string | null
  readonly suspendedAt: string | null
}

export interface FullRequest {
  readonly request: ShownRequest
  readonly document: string | null
  /** Why there is no document any more, in words. */
  readonly gone: string | null
  readonly reviews: readonly ShownReview[]
}

export interface ShownReview {
  readonly requestId: string
  readonly reviewer: string
  readonly verdict: 'approve' | 'deny' | 'request_changes'
  readonly strength: 'software' | 'hardware'
  readonly atMs: number
}

/** One line of the ledger with its place in it. */
export type LedgerLine = { readonly index: number; readonly type: string; readonly at: string } & {
  readonly [name: string]: unknown
}

export interface LedgerPage {
  readonly entries: readonly LedgerLine[]
  /** Index to go on from, or null at the end. */
  readonly next: number | null
  readonly size: number
}

/** An error in the gate's words. */
export class GateError extends Error {
  override readonly name = 'GateError'
  readonly code: string
  readonly help: string
  readonly status: number

  constructor(status: number, code: string, message: string, help: string) {
    super(message)
    this.status = status
    this.code = code
    this.help = help
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return call(path, signal ? { signal } : {})
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' }
  return call(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(path, { ...init, credentials: 'same-origin' })
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause
    throw new GateError(0, 'gate_unreachable', 'the gate does not answer', 'look whether it runs')
  }
  const body = (await answer.json().catch(() => null)) as {
    error?: { code: string; message: string; help: string }
  } | null
  if (answer.ok && body !== null) return body as T
  const error = body?.error
  throw new GateError(
    answer.status,
    error?.code ?? 'gate_error',
    error?.message ?? `the gate answered ${answer.status}`,
    error?.help ?? 'try again',
  )
}
