// What was done under a break-glass, for a terminal: who went ahead and why, each call as a reviewer would have
// seen it, and how it ended. Rendered from what was checked alone.
import type { Deed } from '@seconder/gateway/break-glass/account'
import { outcomeWords } from '@seconder/gateway/break-glass/words'
import { escapeUntrusted, quotedName } from '@seconder/gateway/lib/plain-text'
import type { CheckedGlass } from '../breaking-glass.ts'
import { renderCall } from './review-document.ts'
import { toned, wrap } from './terminal.ts'

const WIDTH = 96

export function renderGlass({ full, account, calls }: CheckedGlass): string {
  const { opened, reason, deeds } = account
  const shown = deeds.flatMap((deed, at) => {
    const call = calls.get(deed.intent.effect)
    const head = toned('bold', `Call ${at + 1} of ${deeds.length} · ${deed.intent.at}`)
    const gone = full.gone[deed.intent.document ?? '']
    const kept = call ? renderCall(call) : wrap(escapeUntrusted(gone ?? '', 1_200), WIDTH)
    return ['', head, ...kept, ...ended(deed)]
  })
  const missing = full.used - deeds.length
  return [
    `${opened.operator} went ahead alone until ${opened.until}, in session ${opened.session}`,
    ...wrap(`wrote: "${escapeUntrusted(reason)}"`, WIDTH),
    `for ${opened.effects.join(', ')} on ${opened.resources.map((arn) => quotedName(arn)).join(', ')}`,
    `${full.used} of ${opened.effectsMax} calls used`,
    ...(missing > 0 ? [`${missing} of them began and never reached AWS: the gate stopped`] : []),
    ...shown,
    '',
    toned('dim', `You sign account ${account.sha256.slice(0, 8)}…${account.sha256.slice(-4)}.`),
  ].join('\n')
}

function ended({ outcomes }: Deed): string[] {
  if (outcomes.length === 0) return ['→ no outcome yet']
  return outcomes.map(({ outcome, at }) => `→ ${outcomeWords(outcome)} · ${at}`)
}
