// The words an agent gets for a refusal or an open review: one line, no text of other people's data
// but names of operations, and a comment only as quoted data of its author (red team M3).
import type { SeatCount } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import { escapeUntrusted } from '../lib/plain-text.ts'
import type { RequestRow } from '../state/store.ts'
import { COMMENT_CHARS_MAX } from './statement.ts'

/** `1 of sre and 2 people`. */
export function requirementWords(requirement: readonly SeatCount[]): string {
  return requirement
    .map((seat) => {
      const [team, count] = seat.split(':')
      if (team === 'any') return count === '1' ? 'one other person' : `${count} other people`
      return `${count} of ${team}`
    })
    .join(' and ')
}

export function environmentsOf(action: Action): string {
  return [...new Set(action.resources.map(({ environment }) => environment))].sort().join(', ')
}

export function pendingWords(request: RequestRow, where: string, url: string): string {
  const until = new Date(request.expiresAtMs).toISOString().slice(11, 16)
  return (
    `Seconder held this call, nothing was done: ${request.operation} in ${where} needs review by ` +
    `${requirementWords(request.requirement)}. Request ${request.id} is open until ${until} UTC: ${url} . ` +
    `After approval run the same call again, or wait with: seconder wait ${request.id}`
  )
}

export function closedWords(request: RequestRow): string {
  const comment = request.comment
    ? ` They say: "${escapeUntrusted(request.comment.replaceAll('"', "'"), COMMENT_CHARS_MAX)}"`
    : ''
  switch (request.state) {
    case 'denied':
      return `Seconder: request ${request.id} was denied by ${request.closedBy}; nothing was done.${comment}`
    case 'changes_requested':
      return `Seconder: ${request.closedBy} requests changes to ${request.id}; nothing was done.${comment}`
    case 'expired':
      return `Seconder: nobody answered request ${request.id} in time; nothing was done. Run the call again to ask anew.`
    case 'cancelled':
      return `Seconder: request ${request.id} was cancelled (${request.comment ?? 'no reason given'}); nothing was done.`
    case 'pending':
    case 'approved':
      return `Seconder: request ${request.id} is ${request.state}. Run the same call again.`
  }
}
