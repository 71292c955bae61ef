// What every report has: progress with an end to it, a failure in words, and the report to keep as a file.
import type { MadeReport } from '../reports/use-report.ts'
import { Failure } from './notice.tsx'

export function ReportStanding({ made }: { readonly made: MadeReport }) {
  const { standing, clear } = made
  if (standing.is === 'progress') {
    const { words, done, of } = standing
    return (
      <div className="notice" role="status">
        <progress value={done} max={Math.max(1, of)} aria-label={words} /> {words}{' '}
        <button type="button" onClick={clear}>
          Stop
        </button>
      </div>
    )
  }
  if (standing.is !== 'failed') return null
  const { message, help } = standing
  return <Failure error={{ message, help, code: 'report_failed' }} retry={clear} />
}

interface KeepProps {
  readonly name: string
  readonly html: string
  readonly json: unknown
  readonly onAgain: () => void
}

export function Keep({ name, html, json, onAgain }: KeepProps) {
  return (
    <div className="buttons no-print">
      <button type="button" onClick={() => saved(`${name}.html`, 'text/html', html)}>
        Save as a page
      </button>
      <button
        type="button"
        onClick={() => saved(`${name}.json`, 'application/json', JSON.stringify(json))}
      >
        Save as JSON
      </button>
      <button type="button" onClick={() => print()}>
        Print
      </button>
      <button type="button" onClick={onAgain}>
        Other files
      </button>
    </div>
  )
}

function saved(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}
