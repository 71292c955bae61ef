// Amounts, times and names in words for the reviewer. Pure; the same input gives the same words.

import { quotedName } from '../lib/plain-text.ts'

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const
const MAX_NAME = 128

/** `1204` is `1,204`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1,204 items`, `1 item`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${count === 1 ? noun : `${noun}s`}`
}

/** Decimal units, one digit after the point below ten: `2.1 MB`, `48 MB`, `512 bytes`. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1000) return counted(bytes, 'byte')
  let amount = bytes
  let unit = -1
  // 999,950 is shown as 1.0 MB, never as 1000 kB.
  while (unit < UNITS.length - 1 && (unit < 0 || amount >= 999.5)) {
    amount /= 1000
    unit += 1
  }
  const shown = amount < 9.95 ? amount.toFixed(1) : String(Math.round(amount))
  return `${shown} ${UNITS[unit]}`
}

/** Epoch seconds as AWS wrote them, as an ISO time; null for what is no time. */
export function isoTime(seconds: string | null): string | null {
  if (seconds === null) return null
  const ms = Math.round(Number(seconds) * 1000)
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null
}

/** A name that somebody else chose, as every sentence for a reviewer holds it. */
export function quoted(name: string): string {
  return quotedName(name, MAX_NAME)
}
