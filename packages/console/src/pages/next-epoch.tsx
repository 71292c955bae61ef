// What the files on the gate's disk would change, and the signature for exactly that. It is rendered from the two
// texts that were hashed again here; files alone change nothing (red team H3).
import {
  checkedCandidate,
  type Difference,
  type DifferingLine,
  type EpochCandidate,
} from '@seconder/gateway/epoch/difference'
import { createElement, useCallback, useMemo } from 'react'
import { signEpoch } from '../gate/activating.ts'
import { GateError, type GateFacts } from '../gate/api.ts'
import { useIdentity } from '../gate/identity.ts'
import { type GateEvent, type Loaded, useLoaded } from '../gate/live.ts'
import { useSigning } from '../gate/use-signing.ts'
import { Failure } from '../parts/notice.tsx'
import { Lines, safe } from '../parts/untrusted.tsx'
import { checkedDryRun, DryRun, type Tried } from './next-epoch-tried.tsx'

export function NextEpoch({ facts }: { readonly facts: GateFacts }) {
  const concerns = useCallback((event: GateEvent) => event.type === 'epoch-activated', [])
  const { value, error, reload } = useLoaded<EpochCandidate>(
    '/api/epochs/candidate/content',
    concerns,
  )
  const checked = useMemo(() => value && checkedOf(value), [value])
  const tried = useLoaded<Tried | null>(
    value && value.version !== value.active ? '/api/epochs/candidate/dry-run' : null,
    concerns,
  )
  if (error) return <Failure error={error} retry={reload} />
  if (!value || !checked) return null
  if (checked instanceof GateError) return <Failure error={checked} />
  if (checked.length === 0) return null
  return (
    <section aria-label="Next epoch" className="next-epoch">
      <h2>Waiting to be signed</h2>
      <p>
        The files on the gate’s disk are not those of epoch {value.from}. They change nothing until
        two people have signed them. What they would change:
      </p>
      {checked.map((one) => (
        <Changed key={one.what} difference={one} />
      ))}
      <TriedOut tried={tried} />
      <Signing
        candidate={value}
        facts={facts}
        reload={reload}
        dryRun={tried.value?.digest}
        isTrying={tried.value === undefined && tried.error === undefined}
      />
    </section>
  )
}

/** What cannot be tried can still be signed: then the signature names no dry run. */
function TriedOut({ tried: { value, error, reload } }: { readonly tried: Loaded<Tried | null> }) {
  const result = useMemo(() => (value ? checkedOr(() => checkedDryRun(value)) : null), [value])
  if (error) return <Failure error={error} retry={reload} />
  if (result instanceof GateError) return <Failure error={result} />
  if (result === null) return <p className="quiet">Trying it on last week’s calls …</p>
  return <DryRun result={result} />
}

function checkedOr<T>(check: () => T): T | GateError {
  try {
    return check()
  } catch (cause) {
    if (cause instanceof GateError) return cause
    throw cause
  }
}

function checkedOf(candidate: EpochCandidate): readonly Difference[] | GateError {
  try {
    return checkedCandidate(candidate)
  } catch (cause) {
    const help = 'tell whoever runs the gate'
    return new GateError(0, 'document_mismatch', (cause as Error).message, help)
  }
}

function Changed({ difference: { what, lines } }: { readonly difference: Difference }) {
  const shown = lines.map(({ mark, text }) =>
    createElement('span', { className: `line line-${CLASS[mark]}` }, `${mark} `, Line(text), '\n'),
  )
  return (
    <section aria-label={what}>
      <h3>
        <code>{safe(what)}</code>
      </h3>
      {createElement('pre', { className: 'facts difference' }, ...shown)}
    </section>
  )
}

const Line = (text: string) => createElement(Lines, { text })

const CLASS: Readonly<Record<DifferingLine['mark'], string>> = {
  '-': 'goes',
  '+': 'comes',
  ' ': 'same',
  '…': 'left-out',
}

interface SigningProps {
  readonly candidate: EpochCandidate
  readonly facts: GateFacts
  readonly reload: () => void
  /** Hash of the dry run that is shown; undefined where there is none. */
  readonly dryRun: string | undefined
  readonly isTrying: boolean
}

function Signing({ candidate, facts, reload, dryRun, isTrying }: SigningProps) {
  const { person, hasPasskey } = useIdentity()
  const { isBusy, error, sign } = useSigning(reload)
  const { version, signers } = candidate
  return (
    <>
      <p className="quiet">
        version <code>{version.slice(0, 16)}</code> ·{' '}
        {signers.length === 0 ? 'nobody has signed' : `signed by ${signers.map(safe).join(', ')}`}
      </p>
      {person !== null && hasPasskey && !signers.includes(person) ? (
        <button
          type="button"
          className="primary"
          disabled={isBusy || isTrying}
          onClick={() => sign(() => signEpoch(candidate, { facts, signer: person, dryRun }))}
        >
          Sign with passkey …
        </button>
      ) : (
        <code>seconder policy activate --exactly {version.slice(0, 16)}</code>
      )}
      {error && <Failure error={error} />}
    </>
  )
}
