// How much may be asked: open requests of a session and of an operator, new ones of a day. Past it a refusal
// in words, so that nobody buries the one request that matters (red team H5).
import { GatewayError } from '../errors.ts'
import type { Store } from '../state/store.ts'

/** Open requests one session may have. */
export const OPEN_REQUESTS_PER_SESSION_MAX = 20
/** Open requests one operator may have, over all sessions. */
export const OPEN_REQUESTS_PER_OPERATOR_MAX = 50
/** Requests one operator may open within 24 hours. */
export const NEW_REQUESTS_PER_DAY_MAX = 200

const DAY_MS = 24 * 60 * 60 * 1000

/** Errors: `limit_reached`. */
export async function requireRoomToAsk(
  store: Store,
  { session, operator }: { readonly session: string; readonly operator: string },
  nowMs: number,
): Promise<void> {
  const waits = 'wait until reviewers have answered some of them, or cancel what is not needed'
  if ((await store.openRequestCount(session)) >= OPEN_REQUESTS_PER_SESSION_MAX) {
    throw limit(`this session already has ${OPEN_REQUESTS_PER_SESSION_MAX} open requests`, waits)
  }
  const { open, since } = await store.requestCounts(operator, nowMs - DAY_MS)
  if (open >= OPEN_REQUESTS_PER_OPERATOR_MAX) {
    throw limit(
      `the sessions of \`${operator}\` already have ${OPEN_REQUESTS_PER_OPERATOR_MAX} open requests`,
      waits,
    )
  }
  if (since >= NEW_REQUESTS_PER_DAY_MAX) {
    throw limit(
      `the sessions of \`${operator}\` have opened ${NEW_REQUESTS_PER_DAY_MAX} requests within 24 hours`,
      'ask for several calls at once with `seconder plan begin`, or wait',
    )
  }
}

function limit(message: string, help: string): GatewayError {
  return new GatewayError('limit_reached', message, help)
}
