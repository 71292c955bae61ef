// The kinds of change as people read them, in a terminal and in a page.
import type { Kind } from './dry-run.ts'

export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  'newly-allowed': 'newly allowed',
  'asks-fewer': 'asks fewer people',
  'newly-denied': 'newly denied',
  'newly-asked': 'newly asked',
  'asks-others': 'asks other people',
  'allowed-with-review': 'no longer denied, asked',
}
