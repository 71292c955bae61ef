// Who can become whom, from the same places as the drawing of the page in one file. The tables say the same.
import type { Audit } from '@seconder/replay/roles/finding'
import { BOX, graphHints, graphLayout } from '@seconder/replay/roles/report/graph-layout'
import { safe } from './untrusted.tsx'
import { Wide } from './wide.tsx'

export function RoleGraph({ audit }: { readonly audit: Audit }) {
  const layout = graphLayout(audit)
  if (layout === null) return null
  const { width, height, boxes, arrows, left } = layout
  return (
    <section>
      <h2>Who can become whom</h2>
      <p className="quiet">{graphHints(left).join(' ')}</p>
      <Wide label="Who can become whom">
        <svg
          className="role-graph"
          role="img"
          aria-label="who can become whom"
          viewBox={`0 0 ${width} ${height}`}
          width={width}
          height={height}
        >
          <defs>
            <marker
              id="tip"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto"
            >
              <path d="M0 0 8 4 0 8z" className="tip" />
            </marker>
          </defs>
          {arrows.map(({ path, isSure, words }) => (
            <path
              key={path}
              d={path}
              className={isSure ? 'arrow' : 'arrow arrow-may'}
              markerEnd="url(#tip)"
            >
              <title>{safe(words)}</title>
            </path>
          ))}
          {boxes.map(({ arn, kind, name, facts, x, y }) => (
            <g key={arn} className={`box box-${kind}`}>
              <title>{safe(arn)}</title>
              <rect x={x} y={y} width={BOX.width} height={BOX.height} rx="4" />
              <text x={x + 8} y={y + 15} className="box-name">
                {safe(name)}
              </text>
              <text x={x + 8} y={y + 28}>
                {safe(facts)}
              </text>
            </g>
          ))}
        </svg>
      </Wide>
    </section>
  )
}
