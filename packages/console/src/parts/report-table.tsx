// A table of a report: names and texts of others, shown as what they are.
import type { Section } from '@seconder/replay/report/sections'
import { Name, safe } from './untrusted.tsx'
import { Wide } from './wide.tsx'

export function ReportTable({ section }: { readonly section: Section }) {
  const { title, columns, rows, more } = section
  return (
    <section>
      <h2>{safe(title)}</h2>
      <Wide label={safe(title)}>
        <table className="table figures-table">
          <thead>
            <tr>
              {columns.map(({ name, is = 'text' }) => (
                <th key={name} scope="col" className={`cell-${is}`}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.join('\n')}>
                {columns.map(({ name, is = 'text' }, column) => (
                  <td key={name} className={`cell-${is}`}>
                    {is === 'code' ? <Name text={row[column] ?? ''} /> : safe(row[column] ?? '')}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {more > 0 && <p className="quiet">and {more.toLocaleString('en')} more in the JSON</p>}
    </section>
  )
}
