// Follows the gate's requests through its public API, like every reviewer's client: what was opened,
// and how it ended.
import { setTimeout as pause } from 'node:timers/promises'
import type { GateClient } from '@seconder/cli/gate-client'
import { checkedRequest } from '@seconder/cli/reviewing'
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import type { ReviewDocument } from '@seconder/gateway/review/document'

const POLL_MS = 150

export interface RequestListener {
  opened(request: ShownRequest, document: ReviewDocument): void
  /** Somebody signed, and it is still open. */
  reviewed(request: ShownRequest, reviewers: readonly string[]): void
  closed(request: ShownRequest, reviewers: readonly string[]): void
}

/** One request as the demo reports it. */
export interface RequestFigures {
  readonly id: string
  readonly operation: string
  readonly state: string
  readonly requirement: readonly string[]
  readonly closedBy: string | null
  readonly reviewers: readonly { readonly reviewer: string; readonly verdict: string }[]
}

/** Tells `listener` until `signal` fires, and once more after it. */
export async function watchRequests(
  client: GateClient,
  listener: RequestListener,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, string>()
  for (let isLast = false; !isLast; ) {
    isLast = signal.aborted
    for (const request of await oldestFirst(client)) {
      const before = known.get(request.requestId)
      if (before !== undefined && request.state !== 'pending' && before === request.state) continue
      const { full, document } = await checkedRequest(client, request.requestId)
      const { state } = full.request
      const reviewers = full.reviews.map(({ reviewer }) => reviewer)
      const now = state === 'pending' ? `pending ${reviewers.length}` : state
      if (before === now) continue
      // A signature is stored before what follows from it: the state is asked for once more.
      if (state === 'pending' && reviewers.length > 0 && !(await isPending(client, full.request))) {
        continue
      }
      known.set(request.requestId, now)
      const isCall = document.type === 'seconder-review-document@v1'
      if (before === undefined && isCall) listener.opened(full.request, document)
      if (state !== 'pending') listener.closed(full.request, reviewers)
      else if (reviewers.length > 0) listener.reviewed(full.request, reviewers)
    }
    if (!isLast) await pause(POLL_MS)
  }
}

async function isPending(client: GateClient, { requestId }: ShownRequest): Promise<boolean> {
  const { state } = await client.get<ShownRequest>(`/api/requests/${requestId}/status`)
  return state === 'pending'
}

/** Every request with its reviews, oldest first. */
export async function requestFigures(client: GateClient): Promise<readonly RequestFigures[]> {
  const figures: RequestFigures[] = []
  for (const { requestId } of await oldestFirst(client)) {
    const { full } = await checkedRequest(client, requestId)
    const { operation, state, requirement, closedBy } = full.request
    const reviewers = full.reviews.map(({ reviewer, verdict }) => ({ reviewer, verdict }))
    figures.push({ id: requestId, operation, state, requirement, closedBy, reviewers })
  }
  return figures
}

async function oldestFirst(client: GateClient): Promise<ShownRequest[]> {
  const { requests } = await client.get<{ requests: ShownRequest[] }>('/api/requests')
  return requests.sort((a, b) => a.openedAt.localeCompare(b.openedAt))
}
