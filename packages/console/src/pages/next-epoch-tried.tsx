// What the files on the gate's disk would have answered to last week's calls: read before it is signed, from the text
// that was hashed here; the signature names that hash.
import type { Answered, Change, DryRunResult } from '@seconder/gateway/dry-run/dry-run'
import { KIND_WORDS } from '@seconder/gateway/dry-run/kind-words'
import { requirementWords } from '@seconder/gateway/review/words'
import { safe } from '../parts/untrusted.tsx'
import { Wide } from '../parts/wide.tsx'

/** Rows that are shown: more is for the command. */
const SHOWN_MAX = 20

export function DryRun({ result }: { readonly result: DryRunResult }) {
  const { window, calls, changes, unchanged, unknownCount, errors } = result
  const left = changes.length - SHOWN_MAX
  return (
    <section aria-label="Dry run">
      <h2>What it would have answered to the last calls</h2>
      <p>
        {calls} calls since {window.since.slice(0, 10)}
        {window.cutBy === null ? '' : ', cut short by a limit'}: {unchanged} would be answered as
        before{unknownCount === 0 ? '' : `, ${unknownCount} cannot be told`}
        {errors.length === 0 ? '' : ', and the new policies err'}.
      </p>
      {changes.length > 0 && (
        <Wide label="what would be answered otherwise">
          <table className="table">
            <thead>
              <tr>
                {[
                  'effect',
                  'would be',
                  'operation',
                  'environment',
                  'agent',
                  'times',
                  'before',
                  'after',
                ].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {changes.slice(0, SHOWN_MAX).map((change) => (
                <Row key={JSON.stringify(change)} change={change} />
              ))}
            </tbody>
          </table>
        </Wide>
      )}
      {left > 0 && <p className="quiet">… and {left} more: seconder policy dry-run</p>}
    </section>
  )
}

function Row({ change }: { readonly change: Change }) {
  const { effect, kind, operation, environments, agent, operator, count, before, after } = change
  return (
    <tr>
      <td>{effect}</td>
      <td>{KIND_WORDS[kind]}</td>
      <td>
        <code>{safe(operation)}</code>
      </td>
      <td>{safe(environments.join(', '))}</td>
      <td>
        {safe(agent)} for {safe(operator)}
      </td>
      <td>{count}</td>
      <td>{answerWords(before)}</td>
      <td>{answerWords(after)}</td>
    </tr>
  )
}

function answerWords({ answer, requirement }: Answered): string {
  return answer === 'review' ? `ask ${requirementWords(requirement)}` : answer
}
