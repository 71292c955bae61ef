// An audit of roles: what was found with evidence and fix, who becomes whom, who goes round the gate, everybody.
import {
  type Audit,
  type Finding,
  type PathStep,
  type PrincipalRow,
  type Rounder,
  SEVERITIES,
} from '@seconder/replay/roles/finding'
import {
  adminWords,
  becomesWords,
  lastWords,
  MARKS,
  roundersWords,
} from '@seconder/replay/roles/report/shown'
import { RULES } from '@seconder/replay/roles/rules'
import { EnvironmentTag } from './environment-tag.tsx'
import { RoleGraph } from './role-graph.tsx'
import { Json, Name, safe } from './untrusted.tsx'
import { Wide } from './wide.tsx'

/** Rows and findings shown; the JSON has all. */
const SHOWN_MAX = 200

export function RolesReport({ audit }: { readonly audit: Audit }) {
  const { counts, findings } = audit
  return (
    <>
      <dl className="figures">
        {SEVERITIES.map((severity) => (
          <div key={severity} className={`figure severity-${severity}`}>
            <dt>
              {MARKS[severity]} {severity}
            </dt>
            <dd>{counts[severity]}</dd>
          </div>
        ))}
      </dl>
      <Rests audit={audit} />
      <h2>What was found</h2>
      {findings.length === 0 && <p>Nothing was found.</p>}
      <ol className="rows findings">
        {findings.slice(0, SHOWN_MAX).map((finding, at) => (
          <FindingRow
            key={`${finding.rule} ${finding.subject} ${finding.title}`}
            finding={finding}
            isOpen={at < 3}
          />
        ))}
      </ol>
      <More count={findings.length} />
      <RoleGraph audit={audit} />
      <h2>Who goes round the gate</h2>
      <p>{roundersWords(audit)}</p>
      <Rounders rounders={audit.rounders} />
      <h2>Users and roles</h2>
      <Principals all={audit.principals} />
    </>
  )
}

function Rests({ audit: { limits, faults, whole } }: { readonly audit: Audit }) {
  return (
    <section className="notice">
      {!whole && (
        <p className="warn">
          <strong>The export is not whole.</strong> Who stands behind a fault is in no answer below.
        </p>
      )}
      <ul className="plain">
        {faults.slice(0, SHOWN_MAX).map(({ where, what }) => (
          <li key={`${where} ${what}`}>
            <Name text={where} /> {safe(what)}
          </li>
        ))}
      </ul>
      <h2>What this rests on</h2>
      <ul>
        {limits.map((words) => (
          <li key={words}>{safe(words)}</li>
        ))}
      </ul>
    </section>
  )
}

function FindingRow({ finding, isOpen }: { readonly finding: Finding; readonly isOpen: boolean }) {
  const { severity, subject, isAgent, title, words, dependsOn, evidence, path } = finding
  return (
    <li className={`finding severity-${severity}`}>
      <details open={isOpen}>
        <summary>
          <strong className="severity">
            {MARKS[severity]} {severity}
          </strong>{' '}
          <Name text={subject} /> {isAgent && <span className="tag">agent</span>}
          <span className="finding-title">{safe(title)}</span>
        </summary>
        {words !== title && <p>{safe(words)}</p>}
        <p>
          {finding.environments.map((name) => (
            <EnvironmentTag key={name} name={safe(name)} />
          ))}
        </p>
        {path.length > 0 && (
          <ol>
            {path.map((step) => (
              <Step key={`${step.from} ${step.to}`} step={step} />
            ))}
          </ol>
        )}
        {dependsOn.length > 0 && (
          <p>
            Depends on: <Names texts={dependsOn} />
          </p>
        )}
        {evidence.length > 0 && (
          <p className="quiet">
            By{' '}
            {evidence.map(({ policy, statement }, at) => (
              <span key={`${policy} ${statement}`}>
                {at > 0 && '; '}
                <Name text={policy} /> statement <Name text={statement} />
              </span>
            ))}
          </p>
        )}
        <FixOf finding={finding} />
        <p className="quiet small">
          <code>{finding.rule}</code> · {RULES[finding.rule].help} ·{' '}
          <Source address={RULES[finding.rule].source} words={RULES[finding.rule].source} />
        </p>
      </details>
    </li>
  )
}

function Step({ step: { about, truth, rows, source, to } }: { readonly step: PathStep }) {
  return (
    <li>
      {safe(about)} {truth !== 'yes' && <em>(may)</em>}
      <br />
      <Source address={source} words={rows.slice(0, 5).join(', ')} /> → <Name text={to} />
    </li>
  )
}

/** Addresses are of our own tables; nothing of an export is one. */
function Source({ address, words }: { readonly address: string; readonly words: string }) {
  return address.startsWith('https://') ? (
    <a href={address} rel="noreferrer" target="_blank">
      {safe(words)}
    </a>
  ) : (
    safe(words)
  )
}

function FixOf({ finding: { fix } }: { readonly finding: Finding }) {
  return (
    <div className="fix">
      <p>
        <strong>Fix.</strong> {safe(fix.words)}
      </p>
      {(fix.policy !== undefined || fix.command !== undefined) && (
        <details>
          <summary>to paste</summary>
          {fix.policy !== undefined && <Json value={fix.policy} />}
          {fix.command !== undefined && <pre className="facts">{safe(fix.command)}</pre>}
        </details>
      )}
    </div>
  )
}

function Names({ texts }: { readonly texts: readonly string[] }) {
  return texts.map((text, at) => (
    <span key={text}>
      {at > 0 && ', '}
      <Name text={text} />
    </span>
  ))
}

function Rounders({ rounders }: { readonly rounders: readonly Rounder[] }) {
  if (rounders.length === 0) return null
  return (
    <>
      <Wide label="Who goes round the gate">
        <table className="table figures-table">
          <thead>
            <tr>
              <th scope="col">who</th>
              <th scope="col">kind</th>
              <th scope="col">certain</th>
              <th scope="col">how</th>
            </tr>
          </thead>
          <tbody>
            {rounders.slice(0, SHOWN_MAX).map(({ who, kind, certain, how, isAgent, excepted }) => (
              <tr key={`${who} ${how}`}>
                <td className="cell-code">
                  <Name text={who} /> {isAgent && <span className="tag">agent</span>}{' '}
                  {excepted && <em>exception</em>}
                </td>
                <td>{kind}</td>
                <td>{certain ? 'yes' : 'may'}</td>
                <td className="cell-why">{safe(how)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      <More count={rounders.length} />
    </>
  )
}

const HEADS = ['principal', 'account', 'admin', 'becomes', 'destroys', 'environments', 'last used']

function Principals({ all }: { readonly all: readonly PrincipalRow[] }) {
  const own = all.filter(({ serviceLinked }) => !serviceLinked)
  return (
    <>
      <Wide label="Users and roles">
        <table className="table figures-table">
          <thead>
            <tr>
              {HEADS.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {own.slice(0, SHOWN_MAX).map((row) => (
              <PrincipalLine key={row.arn} row={row} />
            ))}
          </tbody>
        </table>
      </Wide>
      <More count={own.length} />
      {own.length < all.length && (
        <p className="quiet">{all.length - own.length} roles of AWS’s own services are left out.</p>
      )}
    </>
  )
}

function PrincipalLine({ row }: { readonly row: PrincipalRow }) {
  return (
    <tr>
      <td className="cell-code" title={safe(row.arn)}>
        {row.kind} <Name text={row.name} /> {row.isAgent && <span className="tag">agent</span>}{' '}
        {row.isGate && <em>the gate </em>}
        {row.behindGate && <em>behind the gate </em>}
        {row.unread.length > 0 && <em>not read whole</em>}
      </td>
      <td>
        <code>{safe(row.account)}</code>
      </td>
      <td>{adminWords(row)}</td>
      <td className="cell-n">{becomesWords(row)}</td>
      <td className="cell-n">{row.destroys.actions.length}</td>
      <td>{row.environments.map(safe).join(', ') || '–'}</td>
      <td>{safe(lastWords(row))}</td>
    </tr>
  )
}

function More({ count }: { readonly count: number }) {
  return count > SHOWN_MAX ? (
    <p className="quiet">and {(count - SHOWN_MAX).toLocaleString('en')} more in the JSON</p>
  ) : null
}
