// Times as SigV4 writes them: YYYYMMDDTHHMMSSZ, always UTC, always whole seconds.

import { SigV4Error } from './errors.ts'

const AMZ_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/

/** The time as SigV4 writes it, such as `20150830T123600Z`. `timeMs` is since the epoch. */
export function amzDate(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

/**
 * Milliseconds since the epoch of `20150830T123600Z`.
 * Throws `malformed_date` when the text is not such a time or no day of the calendar.
 */
export function parseAmzDate(text: string): number {
  const match = AMZ_DATE.exec(text)
  if (match !== null) {
    const [year, month, day, hour, minute, second] = match.slice(1).map(Number)
    const timeMs = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second)
    // Date.UTC rolls 31 February over; only a real time prints as it was written.
    if ((year ?? 0) >= 1970 && amzDate(timeMs) === text) return timeMs
  }
  throw new SigV4Error('malformed_date', 'X-Amz-Date is not a time such as `20150830T123600Z`')
}
