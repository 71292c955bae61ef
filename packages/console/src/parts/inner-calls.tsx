// What a call makes others do, now or later, under which roles, and which environments those reach.
import type { Part } from './call.tsx'
import { EffectMark } from './effect-mark.tsx'
import { Name, safe } from './untrusted.tsx'

const CALLS_SHOWN = 40

export function InnerCalls({ part: { action, evidence } }: { readonly part: Part }) {
  const all = [...(action.innerCalls ?? []), ...(evidence.innerCalls ?? [])]
  const reaches = evidence.reaches ?? []
  if (all.length === 0 && reaches.length === 0) return null
  return (
    <section aria-label="What it makes others do">
      <h2>It makes others do</h2>
      <ul className="plain">
        {all.slice(0, CALLS_SHOWN).map((inner) => (
          <li key={`${inner.at} ${inner.operation}`}>
            {inner.effects.map((effect) => (
              <EffectMark key={effect} effect={effect} />
            ))}{' '}
            <Name text={inner.operation} /> <span className="quiet">{safe(inner.at)}</span>
            {inner.role !== null && (
              <>
                {' '}
                under <Name text={inner.role} />
              </>
            )}
          </li>
        ))}
        {all.length > CALLS_SHOWN && (
          <li>{all.length - CALLS_SHOWN} more, in the document below</li>
        )}
        {reaches.map(({ role, environments }) => (
          <li key={role}>
            acts under <Name text={role} />, which reaches {safe(environments.join(', '))}
          </li>
        ))}
      </ul>
    </section>
  )
}
