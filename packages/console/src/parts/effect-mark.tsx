// An effect: a shape and a word, never a colour alone.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import type { Effect } from '@seconder/gateway/describe/action'

const SHAPE: Record<Effect, string> = {
  destroy: '■',
  replace: '◧',
  stop: '▣',
  permissions: '◆',
  write: '●',
  tag: '●',
  opaque: '◌',
  read: '○',
  list: '○',
  unknown: '?',
}

export function EffectMark({ effect }: { readonly effect: string }) {
  const shape = SHAPE[effect as Effect] ?? '?'
  return (
    <span className={`effect effect-${effect}`}>
      <span aria-hidden="true">{shape}</span> {effect}
    </span>
  )
}

/** An effect that this page does not know stands before all others. */
export function strictestFirst<T extends string>(effects: readonly T[]): T[] {
  return effects.toSorted((left, right) => strictness(right) - strictness(left))
}

export function strictness(effect: string): number {
  const at = (EFFECTS_BY_STRICTNESS as readonly string[]).indexOf(effect)
  return at < 0 ? EFFECTS_BY_STRICTNESS.length : at
}
