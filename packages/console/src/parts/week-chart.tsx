// Bars over weeks, from the same places as those of the page in one file. The table beneath says the same.
import { barLayout, markPath } from '@seconder/replay/page/bar-layout'
import type { WeekChart as Chart } from '@seconder/replay/report/weeks'
import { Wide } from './wide.tsx'

export function WeekChart({ chart: { bars: all, caption } }: { readonly chart: Chart }) {
  const { width, height, left, bars, lines } = barLayout(all)
  return (
    <figure className="chart">
      <Wide label={caption}>
        <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={caption}>
          {lines.map(({ y, name }) => (
            <g key={y}>
              <line className="grid" x1={left} x2={width} y1={y} y2={y} />
              <text x={left - 8} y={y} dy="4" textAnchor="end">
                {name}
              </text>
            </g>
          ))}
          {bars.map((placed) => (
            <g key={placed.bar.name}>
              <title>{placed.bar.words}</title>
              {placed.parts.map(({ kind, ...place }) => (
                <rect key={kind} className={`bar-${kind}`} {...place} />
              ))}
              {placed.bar.isMarked && <path className="bar-mark" d={markPath(placed)} />}
              {placed.isNamed && (
                <text x={placed.middle} y={height - 10} textAnchor="middle">
                  {placed.bar.name}
                </text>
              )}
            </g>
          ))}
        </svg>
      </Wide>
      <figcaption className="quiet small">{caption}</figcaption>
    </figure>
  )
}
