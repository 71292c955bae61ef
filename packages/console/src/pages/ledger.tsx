// The ledger: its entries, and the verifier run in this browser over the gate's own files.
import { useCallback, useState } from 'react'
import type { GateFacts, LedgerLine, LedgerPage } from '../gate/api.ts'
import { type GateEvent, useLoaded } from '../gate/live.ts'
import { type Verified, verifyHere } from '../gate/verifying.ts'
import { Link } from '../parts/link.tsx'
import { Empty, Failure, Loading } from '../parts/notice.tsx'
import { Time } from '../parts/time.tsx'
import { Json, safe } from '../parts/untrusted.tsx'
import { plural, shortId } from '../parts/words.ts'
import { toLedger, toRequest, toSession } from '../route.ts'

const PAGE = 100

export function Ledger({
  from,
  facts,
}: {
  readonly from: number | null
  readonly facts: GateFacts
}) {
  const concerns = useCallback((_: GateEvent) => from === null, [from])
  const query = from === null ? '' : `?from=${from}`
  const { value, error, reload } = useLoaded<LedgerPage>(`/api/ledger/entries${query}`, concerns)
  return (
    <>
      <header className="page-head">
        <h1>Ledger</h1>
        {value && <p className="quiet">{plural(value.size, 'entry', 'entries')}</p>}
      </header>
      <Verify facts={facts} />
      {error && <Failure error={error} retry={reload} />}
      {!value && !error && <Loading what="entries" />}
      {value && value.entries.length === 0 && <Empty>The ledger has no entry here.</Empty>}
      {value && value.entries.length > 0 && <Entries page={value} />}
    </>
  )
}

function Entries({ page }: { readonly page: LedgerPage }) {
  const first = page.entries.at(-1)?.index ?? 0
  const newest = page.entries[0]?.index ?? 0
  return (
    <>
      <ol className="rows ledger">
        {page.entries.map((line) => (
          <li key={line.index}>
            <details>
              <summary>
                <span className="number">{line.index}</span> <Time at={line.at} />{' '}
                <strong>{safe(line.type)}</strong> {about(line)}
              </summary>
              <Related line={line} />
              <Json value={line} />
            </details>
          </li>
        ))}
      </ol>
      <nav className="pager" aria-label="Pages of the ledger">
        {newest < page.size - 1 && (
          <Link to={toLedger(Math.min(page.size - 1, newest + PAGE))}>Newer</Link>
        )}
        {first > 0 && <Link to={toLedger(first - 1)}>Older</Link>}
      </nav>
    </>
  )
}

function about(line: LedgerLine): string {
  const names = ['operation', 'reviewer', 'verdict', 'operator', 'code', 'state']
  return names
    .map((name) => line[name])
    .concat((line['outcome'] as { readonly result?: unknown } | undefined)?.result)
    .filter((value) => typeof value === 'string')
    .map((value) => safe(String(value)))
    .join(' · ')
}

function Related({ line }: { readonly line: LedgerLine }) {
  const { session, request } = line as { session?: unknown; request?: unknown }
  return (
    <p>
      {typeof request === 'string' && (
        <Link to={toRequest(request)}>request {shortId(request)}</Link>
      )}{' '}
      {typeof session === 'string' && (
        <Link to={toSession(session)}>session {shortId(session)}</Link>
      )}
    </p>
  )
}

function Verify({ facts }: { readonly facts: GateFacts }) {
  const [done, setDone] = useState<{ entries: number; of: number } | null>(null)
  const [verified, setVerified] = useState<Verified | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const run = async () => {
    setVerified(null)
    setFailed(null)
    setDone({ entries: 0, of: facts.checkpoint.size })
    try {
      setVerified(await verifyHere(facts.verifierKey, setDone))
    } catch (cause) {
      setFailed((cause as Error).message)
    }
    setDone(null)
  }
  return (
    <section className="notice" aria-label="Verification" aria-live="polite">
      <p>
        The verifier is this page’s own code: it reads the gate’s files and checks every hash and
        the signed root. The key is the gate’s word; compare it with the copy you keep:{' '}
        <code>{facts.verifierKey}</code>
      </p>
      <button type="button" onClick={run} disabled={done !== null}>
        Verify here
      </button>
      {done && (
        <>
          {' '}
          <progress value={done.entries} max={Math.max(1, done.of)} aria-label="verified entries" />{' '}
          {done.entries} of {done.of}
        </>
      )}
      {failed && <p className="warn">It could not be verified: {failed}</p>}
      {verified && <Report verified={verified} />}
    </section>
  )
}

function Report({ verified }: { readonly verified: Verified }) {
  if (verified.ok) {
    return (
      <p className="good">
        ✓ {plural(verified.size, 'entry', 'entries')} verified, root {shortId(verified.root)}. A
        rollback cannot be seen without a checkpoint that you kept.
      </p>
    )
  }
  return (
    <ul className="plain warn">
      {verified.problems.map(({ file, code, message }) => (
        <li key={`${file} ${code}`}>
          ✕ {safe(file)}: {safe(message)} <code>{code}</code>
        </li>
      ))}
    </ul>
  )
}
