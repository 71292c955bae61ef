// Words that every form of an incident report says alike: short names of things, spans of time, people.

import { escapeUntrusted, flagged } from '@seconder/gateway/lib/plain-text'
import { requirementWords } from '@seconder/gateway/review/words'

/** Characters of one foreign name in a sentence. */
const NAME_MAX = 120
const SENTENCE_MAX = 500

/**
 * A name from the record in a sentence, with nothing in it that a reader could not see, and no backtick: what
 * stands in backticks is marked by us alone.
 */
export function shown(text: string): string {
  return escapeUntrusted(text, NAME_MAX).replaceAll('`', "'")
}

/** A sentence of the record, for which a name's length is too short. */
export function shownLong(text: string): string {
  return escapeUntrusted(text, SENTENCE_MAX).replaceAll('`', "'")
}

/** A name as it stands in a sentence: `cost-explorer`. No backtick of its own can end it. */
export function named(text: string): string {
  return flagged(`\`${shown(text)}\``)
}

/** `stack cost-explorer`, `bucket data`, `table orders`; an ARN of no known form as it is. */
export function thing(arn: string): string {
  if (arn === '*') return 'what could not be told'
  const [, , service = '', , , ...rest] = arn.split(':')
  const tail = rest.join(':')
  if (tail === '') return shown(arn)
  if (service === 's3') return shown(`${tail.includes('/') ? 'object' : 'bucket'} ${tail}`)
  const match = /^([a-z][A-Za-z-]*)[/:](.+)$/.exec(tail)
  if (match === null) return shown(`${service} ${tail}`)
  const [, kind = '', name = ''] = match
  return shown(`${kind} ${kind === 'stack' ? (name.split('/')[0] ?? name) : name}`)
}

/** At most `max` of them, then how many more. */
export function listed(names: readonly string[], max = 6): string {
  const distinct = [...new Set(names)]
  const more = distinct.length - max
  const first = distinct.slice(0, max)
  if (more > 0) return `${first.join(', ')} and ${more} more`
  if (first.length < 2) return first[0] ?? 'nothing'
  return `${first.slice(0, -1).join(', ')} and ${first.at(-1)}`
}

/** `3.2 s`, `14 min`, `13 h`; empty where a time is missing. */
export function span(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from)
  if (Number.isNaN(ms)) return ''
  const seconds = Math.abs(ms) / 1_000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** `2025-12-14 09:30:00 UTC`. */
export function moment(at: string): string {
  return /^\d{4}-\d{2}-\d{2}T/.test(at) ? `${at.slice(0, 19).replace('T', ' ')} UTC` : 'no time'
}

export function clock(at: string): string {
  return /^\d{4}-\d{2}-\d{2}T/.test(at) ? at.slice(11, 19) : 'no time'
}

export function seats(requirement: readonly string[]): string {
  if (requirement.length === 0) return 'nobody'
  return requirementWords(requirement).replace(/, (among them .*)$/, ' ($1)')
}

/** `policy x`, `policies x and y`. */
export function policiesWords(ids: readonly string[]): string {
  if (ids.length === 0) return 'no policy'
  return `${ids.length === 1 ? 'policy' : 'policies'} ${listed(ids.map(named))}`
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en-US')} ${value === 1 ? one : many}`
}

/** First letter large, one full stop at the end. */
export function sentence(text: string): string {
  const large = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?”"]$/.test(large) ? large : `${large}.`
}
