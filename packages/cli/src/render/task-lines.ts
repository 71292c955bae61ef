// What the agent was told to do and by whom, as its operator signed it, for people at a terminal.
import type { DecideContext } from '@seconder/gateway/decide/decision'
import { escapeUntrusted, quotedName } from '@seconder/gateway/lib/plain-text'
import { wrap } from './terminal.ts'

const TASK_CHARS = 2_000
const WIDTH = 84

/** Nothing where neither was said. */
export function taskLines({ task, instigators = [], operator }: DecideContext): string[] {
  const from = instigators.map((name) => quotedName(name)).join(', ')
  const who = from === '' ? [] : [`Task sent by ${from} (who may not approve either)`]
  if (task === undefined) return who
  return [
    ...who,
    `The task, in the words of ${quotedName(operator)}:`,
    ...wrap(escapeUntrusted(task, TASK_CHARS), WIDTH).map((line) => `  │ ${line}`),
  ]
}
