// What the files on the gate's disk would change, and the signature for exactly that. It is rendered from the two
// texts that were hashed again here; files alone change nothing (red team H3).
import { checkedDryRun } from '@seconder/gateway/dry-run/checked'
import type { KeptDryRun } from '@seconder/gateway/dry-run/desk'
import type { DryRunResult } from '@seconder/gateway/dry-run/dry-run'
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
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { useSigning } from '../gate/use-signing.ts'
import { Failure } from '../parts/notice.tsx'
import { Lines, safe } from '../parts/untrusted.tsx'
import { DryRun } from './next-epoch-tried.tsx'

export function NextEpoch({ facts }: { readonly facts: GateFacts }) {
  const concerns = useCallback((event: GateEvent) => event.type === 'epoch-activated', [])
  const { value, error, reload } = useLoaded<EpochCandidate>(
    '/api/epochs/candidate/content',
    concerns,
  )
  const checked = useMemo(() => value && checkedOr(() => checkedCandidate(value)), [value])
  const tried = useTried(value, concerns)
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
      <Signing candidate={value} facts={facts} reload={reload} tried={tried} />
    </section>
  )
}

/**
 * The dry run that may be shown and named: of exactly the version that is offered. What the gate could not try can
 * still be signed, without one; beside one that is not what it should be, nothing is.
 */
type Tried =
  | { readonly state: 'trying' | 'none' }
  | { readonly state: 'failed' | 'refused'; readonly error: GateError; readonly retry: () => void }
  | { readonly state: 'shown'; readonly result: DryRunResult; readonly digest: string }

function useTried(
  candidate: EpochCandidate | undefined,
  concerns: (event: GateEvent) => boolean,
): Tried {
  // The version stands in the address so that what was tried for another one is not taken for this one's.
  const path =
    candidate && candidate.version !== candidate.active
      ? `/api/epochs/candidate/dry-run?of=${candidate.from}-${candidate.version}`
      : null
  const { value, error, reload } = useLoaded<KeptDryRun | null>(path, concerns)
  return useMemo(() => {
    if (error) return { state: 'failed', error, retry: reload }
    if (value === undefined || candidate === undefined) return { state: 'trying' }
    if (value === null) return { state: 'none' }
    const result = checkedOr(() => checkedDryRun(value, candidate))
    if (result instanceof GateError) return { state: 'refused', error: result, retry: reload }
    return { state: 'shown', result, digest: value.digest }
  }, [candidate, value, error, reload])
}

function TriedOut({ tried }: { readonly tried: Tried }) {
  switch (tried.state) {
    case 'trying':
      return <p className="quiet">Trying it on last week’s calls …</p>
    case 'none':
      return null
    case 'failed':
    case 'refused':
      return <Failure error={tried.error} retry={tried.retry} />
    case 'shown':
      return <DryRun result={tried.result} />
  }
}

/** What `check` makes of what the gate shows, or why nobody should sign it. */
function checkedOr<T>(check: () => T): T | GateError {
  try {
    return check()
  } catch (cause) {
    const help = 'if it stays so, tell whoever runs the gate'
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
  readonly tried: Tried
}

function Signing({ candidate, facts, reload, tried }: SigningProps) {
  const { person, hasPasskey } = useIdentity()
  const { isBusy, error, sign } = useSigning(reload)
  const { version, signers } = candidate
  const isOpen = tried.state !== 'trying' && tried.state !== 'refused'
  const dryRun = tried.state === 'shown' ? tried.digest : undefined
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
          disabled={isBusy || !isOpen}
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
