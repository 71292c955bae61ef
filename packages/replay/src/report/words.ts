// Words and figures of a report that the terminal and the page both say.

import { requirementWords } from '@seconder/gateway/review/words'
import type { Report } from './report.ts'

/** What would have become of it, in the words of the whole matter. */
export function decemberWords(answer: string, requirement: readonly string[]): string {
  switch (answer) {
    case 'reviewed':
      return `December would have been asked at this event: it takes ${requirementWords(requirement)}`
    case 'denied':
      return 'December would have been refused at this event'
    default:
      return 'December would have passed: nobody would have been asked'
  }
}

/** How a deed is marked: whether somebody would have been asked before it. */
export function deedKind(answer: string): 'asked' | 'denied' | 'passed' {
  return answer === 'reviewed' ? 'asked' : answer === 'denied' ? 'denied' : 'passed'
}

/** `2025-11-02 to 2025-12-14`. */
export function spanWords({ window: { from, to } }: Report): string {
  return from === '' ? 'no event has a time' : `${from.slice(0, 10)} to ${to.slice(0, 10)}`
}

/** `role/ci of 111122223333`. */
export function shortArn(arn: string): string {
  const match = /^arn:[^:]*:(?:iam|sts)::(\d{12}):(.+)$/.exec(arn)
  return match === null ? arn : `${match[2]} of ${match[1]}`
}

export function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 })
}

export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** `broken_lines (3)`: the fault of a file, and how many lines of it were stepped over. */
export function faultName(fault: string, brokenLines: number): string {
  return brokenLines === 0 ? fault : `${fault} (${number(brokenLines)})`
}
