// Which environments only observe now, on every page: there the gate is a camera and no wall (red team H4).
import type { GateFacts } from '../gate/api.ts'
import { Time } from './time.tsx'
import { safe } from './untrusted.tsx'

export function ObservingBanner({ facts }: { readonly facts: GateFacts }) {
  const { observing } = facts
  if (observing.length === 0) return null
  return (
    <section aria-label="Only observed">
      {observing.map(({ name, until, roles }) => (
        <p key={name} className="notice notice-warn">
          <strong>
            ◌ {safe(name)} only observes{roles && ` ${roles.map(safe).join(', ')}`}
          </strong>
          : {roles ? 'calls there under these roles' : 'calls there'} pass and are recorded as what
          they would have been, until <Time at={until} />.
        </p>
      ))}
    </section>
  )
}
