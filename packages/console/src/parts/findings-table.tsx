// What the call would touch: a row for each thing, "could not look" as a row of its own.
import type { Finding } from '@seconder/gateway/resolve/evidence'
import { Name, Sentence, safe } from './untrusted.tsx'
import { Wide } from './wide.tsx'

const UNKNOWN = 'could not look'
/** Rows before the rest is folded. */
const ROWS_SHOWN = 40

const FATE: Record<string, string> = {
  deleted: '■',
  overwritten: '◧',
  replaced: '◧',
  changed: '●',
  created: '+',
  kept: '○',
}

export function FindingsTable({ findings }: { readonly findings: readonly Finding[] }) {
  if (findings.length === 0) return null
  return (
    <>
      <Rows findings={findings.slice(0, ROWS_SHOWN)} />
      {findings.length > ROWS_SHOWN && (
        <details>
          <summary>{findings.length - ROWS_SHOWN} more things</summary>
          <Rows findings={findings.slice(ROWS_SHOWN)} />
        </details>
      )}
    </>
  )
}

function Rows({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <Wide label="What it touches">
      <table className="table findings">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Becomes</th>
            <th scope="col">Holds</th>
            <th scope="col">Protected</th>
            <th scope="col">Last backup</th>
            <th scope="col">Undo</th>
          </tr>
        </thead>
        <tbody>
          {findings.map((finding) => (
            <Row key={`${finding.type} ${finding.name}`} finding={finding} />
          ))}
        </tbody>
      </table>
    </Wide>
  )
}

function Row({ finding }: { readonly finding: Finding }) {
  const { type, name, holds, protectedFromDeletion, lastBackup, undo, fate } = finding
  return (
    <tr className={finding.holdsData ? 'row-data' : undefined}>
      <th scope="row">
        <span className="quiet">{safe(type)}</span> <Name text={name} />
        {(finding.usedBy ?? []).map((user) => (
          <div key={user} className="quiet small">
            used by <Name text={user} />
          </div>
        ))}
        {(finding.notes ?? []).map((note) => (
          <div key={note} className="quiet small">
            <Sentence text={note} />
          </div>
        ))}
      </th>
      <td data-label="Becomes">
        {fate ? (
          <>
            <span aria-hidden="true">{FATE[fate]}</span> {fate}
          </>
        ) : (
          '–'
        )}
      </td>
      <td data-label="Holds" className={holds === null ? 'warn' : undefined}>
        {holds === null ? UNKNOWN : safe(holds)}
      </td>
      <td data-label="Protected">
        {protectedFromDeletion === null ? UNKNOWN : protectedFromDeletion ? 'yes' : 'no'}
      </td>
      <td data-label="Last backup">{safe(lastBackup ?? UNKNOWN)}</td>
      <td data-label="Undo" className={undo === 'no' ? 'warn' : undefined}>
        {safe(undo)}
      </td>
    </tr>
  )
}
