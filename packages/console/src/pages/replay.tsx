// A trail of CloudTrail under the policies in force, read in this browser: what the gate would have answered,
// and what the trail cannot prove, said first.
import type { Recreated, Report } from '@seconder/replay/report/report'
import { ROWS_MAX, sections } from '@seconder/replay/report/sections'
import { figuresOf, figureWords, weekCharts, weekSection } from '@seconder/replay/report/weeks'
import {
  decemberWords,
  deedKind,
  duration,
  number,
  shortArn,
  spanWords,
} from '@seconder/replay/report/words'
import { FileDrop } from '../parts/file-drop.tsx'
import { Keep, ReportStanding } from '../parts/report-frame.tsx'
import { ReportTable } from '../parts/report-table.tsx'
import { Name, safe } from '../parts/untrusted.tsx'
import { WeekChart } from '../parts/week-chart.tsx'
import { useReport } from '../reports/use-report.ts'

export default function Replay() {
  const made = useReport('replay')
  const { standing, start, fail, clear } = made
  return (
    <>
      <header className="page-head">
        <h1>Replay</h1>
        {standing.is === 'replayed' && <Under report={standing.report} />}
      </header>
      <ReportStanding made={made} />
      {standing.is === 'nothing' && (
        <>
          <p>
            What would the gate have answered to the calls of your own past? Reviews a week, what
            would have been denied, what was deleted and made again: under the policies in force
            here.
          </p>
          <FileDrop
            what="a folder or files of CloudTrail (.json, .json.gz, .ndjson)"
            takesFolders
            onFiles={(files) => start({ is: 'replay', files })}
            onFault={fail}
          />
          <p>
            A trail lies in its bucket: <code>aws s3 sync s3://YOUR-TRAIL/AWSLogs trails/</code>.
            Longer ones, and other policies than those in force:{' '}
            <code>seconder replay trails/</code>
          </p>
        </>
      )}
      {standing.is === 'replayed' && (
        <>
          <Keep name="replay" html={standing.html} json={standing.report} onAgain={clear} />
          <Replayed report={standing.report} />
        </>
      )}
    </>
  )
}

function Under({ report }: { readonly report: Report }) {
  return (
    <p className="quiet">
      {number(report.unique)} events, {spanWords(report)}, under {safe(report.policy.from)}
    </p>
  )
}

function Replayed({ report }: { readonly report: Report }) {
  return (
    <>
      <Limits report={report} />
      <Deeds report={report} />
      <Figures report={report} />
      {weekCharts(report).map((chart) => (
        <WeekChart key={chart.caption} chart={chart} />
      ))}
      <ReportTable section={weekSection(report)} />
      {sections(report).map((section) => (
        <ReportTable key={section.title} section={section} />
      ))}
      <p className="quiet small">
        {number(report.trail.files)} files, {number(report.events)} events read,{' '}
        {number(report.events - report.unique - report.apart.leftOut)} copies dropped,{' '}
        {number(report.notApiCalls)} that are no API calls. Made in this browser.
      </p>
    </>
  )
}

function Limits({ report: { cannotProve } }: { readonly report: Report }) {
  return (
    <section className="notice">
      <h2>What this trail cannot prove</h2>
      <ul>
        {cannotProve.map(({ what, count }) => (
          <li key={what}>
            {count > 0 && `${number(count)} `}
            {safe(what)}
          </li>
        ))}
        {cannotProve.length === 0 && <li>nothing is missing that replay knows of</li>}
      </ul>
    </section>
  )
}

function Deeds({ report: { recreated, recreatedCount } }: { readonly report: Report }) {
  const more = recreatedCount - Math.min(recreated.length, ROWS_MAX)
  return (
    <section>
      <h2>Deleted and made again: {number(recreatedCount)}</h2>
      {recreatedCount === 0 && <p>Nothing was deleted and made again within seven days.</p>}
      {recreated.slice(0, ROWS_MAX).map((one) => (
        <Deed key={`${one.deleted.eventId} ${one.thing}`} one={one} />
      ))}
      {more > 0 && <p className="quiet">and {number(more)} more</p>}
    </section>
  )
}

function Deed({ one: { thing, deleted, created, secondsBetween } }: { readonly one: Recreated }) {
  return (
    <div className={`notice deed deed-${deedKind(deleted.answer)}`}>
      <strong>{decemberWords(deleted.answer, deleted.requirement)}</strong>
      <p>
        <span aria-hidden="true">■</span> <Name text={deleted.operation} />{' '}
        {deleted.at || 'at an unknown time'}, {safe(deleted.environment)}
      </p>
      <p>
        <Name text={thing} />
      </p>
      <p>
        by {safe(shortArn(deleted.principal))}, {safe(deleted.agent)}; event{' '}
        <Name text={deleted.eventId} />
      </p>
      <p className="quiet">
        made again {duration(secondsBetween)} later by {safe(shortArn(created.principal))} (
        <Name text={created.operation} />)
      </p>
    </div>
  )
}

function Figures({ report }: { readonly report: Report }) {
  return (
    <section aria-label="Figures">
      <dl className="figures">
        {figuresOf(report).map(([name, value, isMain]) => (
          <div key={name} className={isMain ? 'figure figure-main' : 'figure'}>
            <dt>{name}</dt>
            <dd>{number(value)}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet">{figureWords(report)}</p>
    </section>
  )
}
