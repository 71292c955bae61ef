// Patterns with `*` and `?` that an operator names principals by; linear in the text.

import { globOf } from '@seconder/aws/iam/glob'

/** True for a text that one of the patterns stands for. */
export function matcherOf(patterns: readonly string[]): (text: string) => boolean {
  const globs = patterns.map(globOf)
  return (text) => globs.some((glob) => glob.test(text))
}
