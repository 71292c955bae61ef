// What the demo's reviewer decides: a pure function of the review document that was shown, and of
// nothing else. It signs one thing only: a change of one item that can be undone.
import type { Finding } from '@seconder/gateway/resolve/evidence'
import type { ReviewDocument } from '@seconder/gateway/review/document'

export interface Judgement {
  readonly verdict: 'approve' | 'request_changes'
  readonly comment: string
}

export function judge(document: ReviewDocument): Judgement {
  const { action, evidence } = document
  const lost = evidence.findings.filter(isLost)
  if (lost.length > 0) {
    const comment = `This would lose ${lost.map(inWords).join(' and ')}. Change the one setting that is wrong instead.`
    return { verdict: 'request_changes', comment }
  }
  const [only] = evidence.findings
  const isOneItem = evidence.findings.length === 1 && only?.type === 'item' && only.undo === 'yes'
  const isWrite = action.effects.every((effect) => effect === 'write' || effect === 'read')
  if (isOneItem && isWrite && evidence.couldNotLook.length === 0) {
    return { verdict: 'approve', comment: 'One item, and it can be undone.' }
  }
  const comment = 'I sign a change of one item that can be undone; this is more, or cannot be seen.'
  return { verdict: 'request_changes', comment }
}

/** Data, or what may be data, that would go and could not be brought back. */
export function isLost({ fate, holdsData, undo }: Finding): boolean {
  const goes = fate === 'deleted' || fate === 'overwritten' || fate === 'replaced'
  return goes && holdsData === true && undo !== 'yes' && undo !== 'from-backup'
}

function inWords({ type, name, holds, lastBackup }: Finding): string {
  const backup = lastBackup === 'none' ? 'no backup' : (lastBackup ?? 'backups unknown')
  return `${type} ${name} (${holds ?? 'could not look'}, ${backup})`
}
