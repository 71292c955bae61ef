// The policy set in force, as text, with what else decides: environments, roles, what is protected.
import { useCallback } from 'react'
import type { GateFacts } from '../gate/api.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { EnvironmentTag } from '../parts/environment-tag.tsx'
import { Failure, Loading } from '../parts/notice.tsx'
import { Lines, Name, safe } from '../parts/untrusted.tsx'
import { NextEpoch } from './next-epoch.tsx'
import { WhatItTakes } from './what-it-takes.tsx'

interface PolicyPage {
  readonly epoch: number
  readonly version: string
  readonly activatedAt: string
  readonly policies: readonly { readonly file: string; readonly text: string }[]
  readonly environments: readonly { readonly name: string; readonly mode: string }[]
  readonly roles: Readonly<Record<string, { readonly arn: string }>>
  readonly protect: readonly { readonly arn: string; readonly what: string }[]
}

interface PoliciesProps {
  readonly facts: GateFacts
  readonly ask: string
}

export function Policies({ facts, ask }: PoliciesProps) {
  const concerns = useCallback((event: GateEvent) => event.type === 'epoch-activated', [])
  const { value, error, reload } = useLoaded<PolicyPage>('/api/policies', concerns)
  if (error) return <Failure error={error} retry={reload} />
  if (!value) return <Loading what="policies" />
  return (
    <>
      <header className="page-head">
        <h1>Policies</h1>
        <p className="quiet">
          epoch {value.epoch}, version <code>{value.version.slice(0, 12)}</code>
        </p>
      </header>
      {facts.refusing && (
        <p className="notice notice-warn">Refusing all but reads of this page: {facts.refusing}</p>
      )}
      <NextEpoch facts={facts} />
      <WhatItTakes ask={ask} roles={Object.keys(value.roles)} environments={namesOf(value)} />
      <h2>In force</h2>
      <p>
        Files alone change nothing: two people sign a new epoch, here or with{' '}
        <code>seconder policy activate</code>. For a call as it was sent:{' '}
        <code>seconder policy explain request.http</code>
      </p>
      <h2>Environments</h2>
      <ul className="plain">
        {value.environments.map(({ name, mode }) => (
          <li key={name}>
            <EnvironmentTag name={name} /> {mode}
          </li>
        ))}
        <li>
          <EnvironmentTag name="production" /> whatever matches no row
        </li>
      </ul>
      <h2>Roles</h2>
      <ul className="plain">
        {Object.entries(value.roles).map(([name, { arn }]) => (
          <li key={name}>
            {safe(name)} <Name text={arn} />
          </li>
        ))}
      </ul>
      {value.protect.length > 0 && (
        <details>
          <summary>What the gate stands on ({value.protect.length})</summary>
          <ul className="plain">
            {value.protect.map(({ arn, what }) => (
              <li key={`${arn} ${what}`}>
                <Name text={arn} /> {safe(what)}
              </li>
            ))}
          </ul>
        </details>
      )}
      {value.policies.map(({ file, text }) => (
        <section key={file} aria-label={file}>
          <h2>
            <code>{safe(file)}</code>
          </h2>
          <pre className="facts">
            <Lines text={text} />
          </pre>
        </section>
      ))}
    </>
  )
}

/** What matches no row is production, whether a row says so or not. */
function namesOf({ environments }: PolicyPage): string[] {
  return [...new Set(['production', ...environments.map(({ name }) => name)])]
}
