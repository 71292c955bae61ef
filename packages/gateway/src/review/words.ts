// The words an agent gets for a refusal or an open review: one line, no text of other people's data
// but names of operations, and a comment only as quoted data of its author (red team M3).
import type { SeatCount } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import { escapeUntrusted } from '../lib/plain-text.ts'
import type { RequestRow } from '../state/store.ts'

/** Longest comment, in characters (red team M3). */
export const COMMENT_CHARS_MAX = 1_000

/** `1 of sre`, `one other person`, or `2 people, among them 1 of sre`: one person fills one seat. */
export function requirementWords(requirement: readonly SeatCount[]): string {
  const seats = requirement.map((seat) => seat.split(':') as [team: string, count: string])
  const teams = seats
    .filter(([team]) => team !== 'any')
    .map(([team, count]) => `${count} of ${team}`)
  const anybody = seats.find(([team]) => team === 'any')?.[1]
  if (anybody === undefined) return teams.join(' and ')
  if (teams.length > 0) return `${anybody} people, among them ${teams.join(' and ')}`
  return anybody === '1' ? 'one other person' : `${anybody} other people`
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
