// The words an agent gets for a refusal or an open review: one line, no text of other people's data
// but names of operations, and a comment only as quoted data of its author (red team M3).
import type { SeatCount } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import { escapeUntrusted } from '../lib/plain-text.ts'
import type { GrantRow, RequestRow } from '../state/store.ts'

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
    `${needsWords(request)}. Request ${request.id} is open until ${until} UTC: ${url} . ` +
    `After approval run the same call again, or wait with: seconder wait ${request.id}`
  )
}

/** What was said before adds to what policy asks: see standing.ts. */
export function needsWords({ requirement, deniedBefore }: RequestRow): string {
  const names = [...new Set(deniedBefore.map(({ by }) => by))]
  const needs = requirementWords(requirement)
  if (names.length === 0) return needs
  const more = names.length === 1 ? 'one person more' : `${names.length} people more`
  return `${needs}, and ${more} or ${names.join(' and ')}, who denied the same within a day`
}

function quoted(comment: string | null): string {
  if (!comment) return ''
  return ` They say: "${escapeUntrusted(comment.replaceAll('"', "'"), COMMENT_CHARS_MAX)}"`
}

/** `grant` is the approval, where the request has one. */
export function closedWords(request: RequestRow, grant?: GrantRow): string {
  const comment = quoted(request.comment)
  switch (request.state) {
    case 'denied':
      return `Seconder: request ${request.id} was denied by ${request.closedBy}; nothing was done.${comment}`
    case 'changes_requested':
      return `Seconder: ${request.closedBy} requests changes to ${request.id}; nothing was done.${comment}`
    case 'expired':
      return `Seconder: request ${request.id} has expired: ${request.comment ?? 'nobody answered in time'}; nothing was done. Run the call again to ask anew.`
    case 'cancelled':
      return `Seconder: request ${request.id} was cancelled (${request.comment ?? 'no reason given'}); nothing was done.`
    case 'pending':
    case 'approved':
      return approvalWords(request, grant)
  }
}

function approvalWords({ id, state }: RequestRow, grant: GrantRow | undefined): string {
  switch (grant?.state) {
    case 'revoked':
      return grant.endedBy === null
        ? `Seconder: the approval of ${id} has ended: ${whyEnded(grant)}; nothing was done. Run the call again to ask anew.`
        : `Seconder: ${grant.endedBy} revoked the approval of ${id}; nothing was done.${quoted(grant.endedWhy)}`
    case 'expired':
      return `Seconder: request ${id} was approved, and nobody used the approval in time; nothing was done. Run the call again to ask anew.`
    case 'consumed':
      return `Seconder: request ${id} was approved, and the approval was used. Another run is a new request.`
    default:
      return `Seconder: request ${id} is ${state}. Run the same call again.`
  }
}

function whyEnded({ endedWhy }: GrantRow): string {
  return endedWhy ?? 'what it rested on was taken away'
}
