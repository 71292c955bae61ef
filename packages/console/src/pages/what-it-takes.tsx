// "What would it take?": a call by its name, and what the policies in force would say to it. The question is in
// the address; nothing is done, asked of AWS or recorded.
import type { WhatItTakes as Answer } from '@seconder/gateway/hypothetical/what-it-takes'
import { requirementWords } from '@seconder/gateway/review/words'
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import { get } from '../gate/api.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { EffectMark, strictestFirst } from '../parts/effect-mark.tsx'
import { EnvironmentTag, kindOf } from '../parts/environment-tag.tsx'
import { Failure, Loading } from '../parts/notice.tsx'
import { Lines, Name, safe } from '../parts/untrusted.tsx'
import { Wide } from '../parts/wide.tsx'
import { go, toPolicies } from '../route.ts'

interface WhatItTakesProps {
  readonly ask: string
  readonly roles: readonly string[]
  readonly environments: readonly string[]
}

export function WhatItTakes({ ask, roles, environments }: WhatItTakesProps) {
  const concerns = useCallback((event: GateEvent) => event.type === 'epoch-activated', [])
  const path = ask === '' ? null : `/api/policies/inquiry?${ask}`
  const { value, error, reload } = useLoaded<Answer>(path, concerns)
  return (
    <section aria-label="What would it take?">
      <h2>What would it take?</h2>
      <Form key={ask} ask={ask} roles={roles} environments={environments} />
      <div aria-live="polite">
        {error && <Failure error={error} retry={reload} />}
        {path !== null && !value && !error && <Loading what="the answer" />}
        {value && !error && <AnswerTo answer={value} />}
      </div>
    </section>
  )
}

function Form({ ask, roles, environments }: WhatItTakesProps) {
  const asked = new URLSearchParams(ask)
  const said = (name: string) => asked.get(name) ?? ''
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const query = new URLSearchParams()
    for (const [name, value] of new FormData(event.currentTarget)) {
      for (const part of name === 'resource' ? String(value).split(/\s+/) : [String(value)]) {
        if (part.trim() !== '') query.append(name, part.trim())
      }
    }
    go(toPolicies(query.toString()))
  }
  const hasMore = ['isolation', 'region', 'parameters'].some((name) => asked.has(name))
  return (
    <form className="asking" onSubmit={submit} autoComplete="off">
      <div className="options">
        <Operation said={said('operation')} />
        <label className="long">
          On what, an ARN or several
          <input name="resource" defaultValue={asked.getAll('resource').join(' ')} />
        </label>
        <Choice name="environment" label="In" said={said('environment')} none="where it lies">
          {environments}
        </Choice>
        <Choice name="role" label="As" said={said('role')} none={roles[0] ?? ''}>
          {roles.slice(1)}
        </Choice>
      </div>
      <details open={hasMore}>
        <summary>Parameters, isolation, region</summary>
        <div className="options">
          <label className="long">
            Parameters as JSON, named as the API does
            <input
              name="parameters"
              defaultValue={said('parameters')}
              placeholder='{"TableName": "orders"}'
            />
          </label>
          <Choice name="isolation" label="An agent apart by" said={said('isolation')} none="user">
            {['host', 'sandbox', 'none']}
          </Choice>
          <label>
            Region, where no ARN says one
            <input name="region" defaultValue={said('region')} placeholder="us-east-1" />
          </label>
        </div>
      </details>
      <div className="buttons">
        <button type="submit" className="primary">
          Ask
        </button>
      </div>
    </form>
  )
}

/** The names of a service's calls are offered once its own name stands there. */
function Operation({ said }: { readonly said: string }) {
  const [service, setService] = useState('')
  const [names, setNames] = useState<readonly string[]>([])
  useEffect(() => {
    setNames([])
    if (service === '') return
    const ending = new AbortController()
    const query = new URLSearchParams({ service })
    get<{ operations: string[] }>(`/api/policies/operations?${query}`, ending.signal).then(
      ({ operations }) => setNames(operations.map((name) => `${service}:${name}`)),
      () => undefined, // an unknown service offers nothing; asking says so
    )
    return () => ending.abort()
  }, [service])
  return (
    <label>
      A call, service:Operation
      <input
        name="operation"
        required
        data-find=""
        list="operations"
        defaultValue={said}
        placeholder="dynamodb:DeleteTable"
        onChange={({ currentTarget: { value } }) => {
          setService(value.includes(':') ? (value.split(':')[0] ?? '') : '')
        }}
      />
      <datalist id="operations">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </label>
  )
}

interface ChoiceProps {
  readonly name: string
  readonly label: string
  readonly said: string
  /** What is meant where nothing is chosen. */
  readonly none: string
  readonly children: readonly string[]
}

function Choice({ name, label, said, none, children }: ChoiceProps) {
  return (
    <label>
      {label}
      <select name={name} defaultValue={said}>
        <option value="">{none}</option>
        {children.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  )
}

function AnswerTo({ answer }: { readonly answer: Answer }) {
  const { action, decision, operation, role, notes } = answer
  const environments = [...new Set(action.resources.map(({ environment }) => environment))]
  return (
    <article className="request answer">
      <div className={`band band-${kindOf(environments[0] ?? '')}`}>
        <span>
          {environments.map((name) => (
            <EnvironmentTag key={name} name={safe(name)} />
          ))}
        </span>
        <span>as {safe(role)} · nothing was done</span>
      </div>
      <section>
        <p>
          {strictestFirst(action.effects).map((effect) => (
            <EffectMark key={effect} effect={effect} />
          ))}
          <Name text={operation} />
        </p>
        <p className="summary">{verdictWords(answer)}</p>
        {decision.answer === 'deny' && <p>{safe(decision.reason)}</p>}
        {action.resources.length > 0 && (
          <ul className="plain">
            {action.resources.map(({ arn, environment, resolved }) => (
              <li key={`${arn} ${environment}`}>
                <Name text={arn} /> {!resolved && <span className="warn">not named</span>}
              </li>
            ))}
          </ul>
        )}
        <ul>
          {notes.map((words) => (
            <li key={words} className="quiet">
              {safe(words)}
            </li>
          ))}
        </ul>
      </section>
      <Parts answer={answer} />
      <Asked answer={answer} />
    </article>
  )
}

/** `It takes 1 of sre, or 2 other people.` */
function verdictWords({ decision, ways }: Answer): string {
  switch (decision.answer) {
    case 'allow':
      return '✓ It would pass. Nobody is asked.'
    case 'deny':
      return '✕ It would be denied, whoever approves.'
    case 'review': {
      const all = ways.length > 0 ? ways : [decision.requirement]
      return `It takes ${all.map(requirementWords).join(', or ')}.`
    }
  }
}

function Parts({ answer: { parts } }: { readonly answer: Answer }) {
  if (parts.length < 2) return null
  return (
    <section>
      <Wide label="Each effect on each thing">
        <table className="table figures-table">
          <thead>
            <tr>
              {['effect', 'thing', 'environment', 'answer', 'policies'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parts.map(({ effect, resource, environment, decision }) => (
              <tr key={`${effect} ${resource} ${environment}`}>
                <td>
                  <EffectMark effect={effect} />
                </td>
                <td className="cell-code">
                  <Name text={resource} />
                </td>
                <td>{safe(environment)}</td>
                <td>
                  {decision.answer === 'review'
                    ? requirementWords(decision.requirement)
                    : decision.answer}
                </td>
                <td className="cell-why">{decision.policies.map(safe).join(', ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  )
}

function Asked({ answer: { policies } }: { readonly answer: Answer }) {
  if (policies.length === 0) return null
  return (
    <section>
      <h3>Which policy asked</h3>
      {policies.map(({ id, file, effect, reason, text }) => (
        <details key={id}>
          <summary>
            <code>{safe(id)}</code> {effect === 'forbid' ? 'forbids' : 'permits'}
            {reason !== null && `: ${safe(reason)}`} <span className="quiet">({safe(file)})</span>
          </summary>
          <pre className="facts">
            <Lines text={text} />
          </pre>
        </details>
      ))}
    </section>
  )
}
