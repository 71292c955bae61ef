// Everything a verdict must be before it is recorded: for this gate, digest and document, in time, by somebody
// who was a member when the request was opened, is no operator of it, and has not signed yet.
import { GatewayError } from '../errors.ts'
import { invalidStatement, type VerifiedAct } from '../lib/signed-act.ts'
import type { PersonRecord, RequestRow, Store } from '../state/store.ts'
import { type ReviewStatement, STATEMENT_LIFETIME_MS_MAX } from './statement.ts'

/**
 * Returns the request that the verdict is about, and its signer as they are now.
 * Errors: `statement_invalid`, `not_a_reviewer`, `request_unknown`, `request_closed`, `epoch_changed`.
 */
export async function reviewable(
  { store, gateId }: { readonly store: Store; readonly gateId: string },
  verified: VerifiedAct<ReviewStatement>,
  nowMs: number,
): Promise<{ readonly request: RequestRow; readonly person: PersonRecord }> {
  const { statement } = verified
  const request = await store.request(statement.request)
  if (!request) throw unknownRequest(statement.request)
  if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
  if (statement.epoch !== request.epoch || (await store.activeEpoch())?.number !== request.epoch) {
    throw new GatewayError(
      'epoch_changed',
      'the policy changed since this request was opened',
      'let the agent run its call again; a new request will show what the policy now asks',
    )
  }
  if (statement.digest !== request.digest) throw invalidStatement('it is for another digest')
  if (statement.shown !== request.documentSha256)
    throw invalidStatement('another document was shown')
  const expiresAtMs = Date.parse(statement.expiresAt)
  if (expiresAtMs <= nowMs || expiresAtMs > nowMs + STATEMENT_LIFETIME_MS_MAX) {
    throw invalidStatement('it has expired, or expires too late')
  }
  const person = await signerNow(store, verified)
  requireReviewer(verified, person, request)
  await requireNoInstigator(store, person, request)
  if (request.state !== 'pending' || request.expiresAtMs <= nowMs) {
    throw new GatewayError(
      'request_closed',
      `request ${request.id} is ${request.state === 'pending' ? 'expired' : request.state}`,
      'nothing is left to review; the agent may run its call again',
    )
  }
  if ((await store.reviews(request.id)).some((review) => review.reviewer === person.name)) {
    throw notReviewer(`\`${person.name}\` has already reviewed this`, 'ask another person')
  }
  return { request, person }
}

/** Whoever was removed since, or whose key was, has signed nothing. Errors: `not_a_reviewer`. */
export async function signerNow(
  store: Store,
  signed: Pick<VerifiedAct<unknown>, 'person' | 'key'>,
): Promise<PersonRecord> {
  const person = (await store.personByKey(signed.key.fingerprint))?.person
  if (person?.name === signed.person.name) return person
  throw notReviewer(
    'this key, or whoever it belonged to, was removed from this gate meanwhile',
    'nothing was recorded; ask a member',
  )
}

function requireReviewer(
  { statement, key }: VerifiedAct<ReviewStatement>,
  person: PersonRecord,
  request: RequestRow,
): void {
  if (statement.reviewer !== person.name)
    throw invalidStatement('the key is not that of the reviewer named')
  if (person.name === request.operator) {
    throw notReviewer(
      `\`${person.name}\` is the operator of this session and cannot review its requests`,
      'ask another person; the request says whom policy wants',
    )
  }
  if (person.addedAtMs > request.openedAtMs || key.addedAtMs > request.openedAtMs) {
    throw notReviewer(
      `\`${person.name}\`, or the key signed with, was added after this request was opened`,
      'sign with a key, or ask a member, of before that',
    )
  }
}

/** Whoever sent the task is no second person for it (red team C1). Errors: `not_a_reviewer`. */
async function requireNoInstigator(
  store: Store,
  { name }: PersonRecord,
  { sessionId }: RequestRow,
): Promise<void> {
  const session = await store.session(sessionId)
  if (session && !session.instigators.includes(name)) return
  const why = session
    ? `\`${name}\` sent the task of this session and cannot review its requests`
    : 'the session of this request is not known any more'
  throw notReviewer(why, 'ask another person; the request says whom policy wants')
}

export function unknownRequest(id: string): GatewayError {
  return new GatewayError(
    'request_unknown',
    `there is no request \`${id.slice(0, 64)}\``,
    'see `seconder request ls`',
  )
}

export function closedMeanwhile(id: string): GatewayError {
  return new GatewayError(
    'request_closed',
    `request ${id} was closed, or the people of this gate changed, meanwhile`,
    'nothing was granted; look at the request again and sign anew if it is still open',
  )
}

export function withoutPresence(): GatewayError {
  return notReviewer(
    "policy does not accept this key here: its signature does not prove a person's presence",
    'sign with a passkey in the console, or an sk- SSH key (ssh-keygen -t ed25519-sk -O verify-required)',
  )
}

export function refusedApproval(reason: string): GatewayError {
  return notReviewer(`policy does not accept this approval: ${reason}`, 'see the policy named')
}

function notReviewer(message: string, help: string): GatewayError {
  return new GatewayError('not_a_reviewer', message, help)
}
