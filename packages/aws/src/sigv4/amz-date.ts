// Times as SigV4 writes them: YYYYMMDDTHHMMSSZ, always UTC, always whole seconds.

import { SigV4Error } from './errors.ts'

const AMZ_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/

/** The time as SigV4 writes it, such as `20150830T123600Z`. `timeMs` is since the epoch. */
export function amzDate(timeMs: number): string {
  const second = Math.floor(timeMs / 1_000)
  if (second !== lastWritten.second) {
    const text = `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
    lastWritten = { second, text }
  }
  return lastWritten.text
}

/** The last second that was written, and the last text that was read: most requests share them. */
let lastWritten = { second: Number.NaN, text: '' }
let lastRead = { text: '', timeMs: Number.NaN }

/**
 * Milliseconds since the epoch of `20150830T123600Z`.
 * Throws `malformed_date` when the text is not such a time or no day of the calendar.
 */
export function parseAmzDate(text: string): number {
  if (text === lastRead.text) return lastRead.timeMs
  const match = AMZ_DATE.exec(text)
  if (match !== null) {
    const [, year, month, day, hour, minute, second] = match
    // Date.parse refuses hour 25 and month 13, but rolls 31 February and 24:00 over: so the day is
    // compared.
    const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
    const isWhole = timeMs >= 0 && new Date(timeMs).getUTCDate() === Number(day)
    if (isWhole) {
      lastRead = { text, timeMs }
      return timeMs
    }
  }
  throw new SigV4Error('malformed_date', 'X-Amz-Date is not a time such as `20150830T123600Z`')
}
