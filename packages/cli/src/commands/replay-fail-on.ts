// What of a report makes `seconder replay` end with another code than 0, for a pipeline that shall stop.
import type { Report } from '@seconder/replay/report/report'
import { InvalidArgumentError } from 'commander'
import { EXIT, type ExitCode } from '../failure.ts'

export interface FailOn {
  readonly what: string
  /** For `reviews-per-week`. */
  readonly more: number
}

type Holds = (report: Report, more: number) => boolean

const CODES: Readonly<Record<string, { readonly code: ExitCode; readonly holds: Holds }>> = {
  denied: { code: EXIT.denied, holds: ({ denied }) => denied > 0 },
  reviewed: { code: EXIT.needsReview, holds: ({ reviewed }) => reviewed > 0 },
  recreated: { code: EXIT.needsReview, holds: ({ recreatedCount }) => recreatedCount > 0 },
  'reviews-per-week': {
    code: EXIT.needsReview,
    holds: ({ reviewsPerWeek }, more) => reviewsPerWeek.grouped > more,
  },
  unmapped: { code: EXIT.failed, holds: ({ unmapped }) => unmapped > 0 },
  changed: { code: EXIT.failed, holds: ({ changedCount = 0 }) => changedCount > 0 },
  faults: { code: EXIT.failed, holds: ({ trail }) => trail.faults.length > 0 },
}

/** Errors: InvalidArgumentError, which ends the command with 2. */
export function failOn(text: string): FailOn[] {
  return text.split(',').map((word) => {
    const [what = '', number] = word.trim().split(':')
    const takesNumber = what === 'reviews-per-week'
    const more = Number(number ?? 0)
    if (!Object.hasOwn(CODES, what) || (number !== undefined && !takesNumber) || !(more >= 0)) {
      throw new InvalidArgumentError(`of ${Object.keys(CODES).join(', ')}; reviews-per-week:N`)
    }
    if (takesNumber && number === undefined)
      throw new InvalidArgumentError('write reviews-per-week:N')
    return { what, more }
  })
}

/** The gravest of what holds: denied, then needs review, then failed. */
export function exitCodeOf(report: Report, wanted: readonly FailOn[]): ExitCode {
  const codes = wanted.flatMap(({ what, more }) => {
    const row = CODES[what]
    return row?.holds(report, more) ? [row.code] : []
  })
  return codes.length === 0 ? EXIT.done : (Math.max(...codes) as ExitCode)
}
