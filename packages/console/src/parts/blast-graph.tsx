// The blast radius as a picture: the call, what it touches, and who would miss that. The table beside it
// says the same to whoever cannot see it. Names stand in a face of their own, as everywhere.
import type { Finding } from '@seconder/gateway/resolve/evidence'
import { safe } from './untrusted.tsx'

const THINGS_MAX = 12
const ROW = 30
const COLUMNS = { call: 8, thing: 250, user: 580 }
const WIDTH = 800

interface GraphProps {
  readonly operation: string
  readonly findings: readonly Finding[]
}

export function BlastGraph({ operation, findings }: GraphProps) {
  const things = findings.slice(0, THINGS_MAX)
  if (things.length < 2) return null
  const users = [...new Set(things.flatMap(({ usedBy = [] }) => usedBy))].slice(0, THINGS_MAX)
  const height = Math.max(things.length, users.length) * ROW + 16
  const middle = (count: number, at: number) => height / 2 + (at - (count - 1) / 2) * ROW
  return (
    <svg
      className="graph"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={`${safe(operation)} touches ${things.length} things, named in the table`}
    >
      {things.map(({ type, name, fate }, at) => (
        <path
          key={`line ${type} ${name}`}
          className={fate === 'kept' ? 'edge' : 'edge edge-strong'}
          d={curve(COLUMNS.call + 200, height / 2, COLUMNS.thing - 6, middle(things.length, at))}
        />
      ))}
      {things.flatMap(({ type, name, usedBy = [] }, at) =>
        usedBy
          .filter((user) => users.includes(user))
          .map((user) => (
            <path
              key={`line ${type} ${name} ${user}`}
              className="edge"
              d={curve(
                COLUMNS.thing + 300,
                middle(things.length, at),
                COLUMNS.user - 6,
                middle(users.length, users.indexOf(user)),
              )}
            />
          )),
      )}
      <text x={COLUMNS.call} y={height / 2 + 4} className="node node-call">
        {cut(safe(operation), 28)}
      </text>
      {things.map(({ type, name }, at) => (
        <text
          key={`${type} ${name}`}
          x={COLUMNS.thing}
          y={middle(things.length, at) + 4}
          className="node"
        >
          <tspan className="node-type">{safe(type)} </tspan>
          {cut(safe(name), 36)}
        </text>
      ))}
      {users.map((user, at) => (
        <text key={user} x={COLUMNS.user} y={middle(users.length, at) + 4} className="node">
          {cut(safe(user), 30)}
        </text>
      ))}
    </svg>
  )
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const half = (x1 + x2) / 2
  return `M${x1} ${y1} C${half} ${y1} ${half} ${y2} ${x2} ${y2}`
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const half = Math.floor((length - 1) / 2)
  return `${text.slice(0, half)}…${text.slice(-half)}`
}
