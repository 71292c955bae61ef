// The frame around every page: where one is, whether events arrive, and the keyboard.
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react'
import type { GateFacts } from './gate/api.ts'
import { IdentityContext } from './gate/identity.ts'
import { type GateEvent, useLink, useLoaded } from './gate/live.ts'
import type { Me } from './gate/signing-in.ts'
import { useKeyboard } from './keyboard.ts'
import { BreakGlasses } from './pages/break-glasses.tsx'
import { FirstMember } from './pages/first-member.tsx'
import { GlassPage } from './pages/glass.tsx'
import { Inbox } from './pages/inbox.tsx'
import { Ledger } from './pages/ledger.tsx'
import { NewPasskey } from './pages/new-passkey.tsx'
import { People } from './pages/people.tsx'
import { Policies } from './pages/policies.tsx'
import { RequestPage } from './pages/request.tsx'
import { Session, Sessions } from './pages/session.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { GlassBanner } from './parts/glass-banner.tsx'
import { Link } from './parts/link.tsx'
import { Empty, Failure, Loading } from './parts/notice.tsx'
import { ObservingBanner } from './parts/observing-banner.tsx'
import { identityOf, Who } from './parts/who.tsx'
import {
  type Route,
  toBreakGlasses,
  toInbox,
  toLedger,
  toPeople,
  toPolicies,
  toReplay,
  toRoles,
  toSessions,
  useRoute,
} from './route.ts'

/** Pages that not everybody opens are fetched when somebody does. */
const Replay = lazy(() => import('./pages/replay.tsx'))
const Roles = lazy(() => import('./pages/roles.tsx'))

const TABS: readonly { name: string; to: string; pages: readonly Route['page'][] }[] = [
  { name: 'Inbox', to: toInbox(), pages: ['inbox', 'request'] },
  { name: 'Sessions', to: toSessions(), pages: ['sessions', 'session'] },
  { name: 'Break-glass', to: toBreakGlasses(), pages: ['break-glasses', 'break-glass'] },
  { name: 'Ledger', to: toLedger(), pages: ['ledger'] },
  { name: 'Policies', to: toPolicies(), pages: ['policies'] },
  { name: 'Roles', to: toRoles(), pages: ['roles'] },
  { name: 'Replay', to: toReplay(), pages: ['replay'] },
  { name: 'People', to: toPeople(), pages: ['people'] },
]

export function App() {
  const route = useRoute()
  const isEpoch = useCallback((event: GateEvent) => event.type === 'epoch-activated', [])
  const { value: facts, error, reload } = useLoaded<GateFacts>('/api/gate', isEpoch)
  const isPeople = useCallback((event: GateEvent) => event.type.startsWith('people'), [])
  const { value: me, error: notMe } = useLoaded<Me>('/api/me', isPeople)
  const identity = identityOf(me)
  const [showsHelp, setShowsHelp] = useState(false)
  useKeyboard(() => setShowsHelp((last) => !last))
  useEffect(() => {
    document.title = `${titleOf(route)} · Seconder`
  }, [route])
  return (
    <IdentityContext.Provider value={identity}>
      <a className="skip" href="#main">
        To the content
      </a>
      <header className="top">
        <Link to={toInbox()} className="brand">
          Seconder
        </Link>
        <nav aria-label="Pages">
          {TABS.map(({ name, to, pages }) => (
            <Link key={name} to={to} current={pages.includes(route.page)}>
              {name}
            </Link>
          ))}
        </nav>
        <Who identity={identity} />
        {me && <LinkState />}
      </header>
      {showsHelp && <Help />}
      <main id="main" tabIndex={-1}>
        {error && <Failure error={error} retry={reload} />}
        {facts?.refusing && (
          <p className="notice notice-warn" role="alert">
            This gate answers refusals only: {facts.refusing}
          </p>
        )}
        {me && <GlassBanner />}
        {facts && <ObservingBanner facts={facts} />}
        {facts && me && <Page route={route} facts={facts} />}
        {facts && notMe && !me && <Outside route={route} facts={facts} />}
        {!error && !(facts && (me || notMe)) && <Loading what="the gate" />}
      </main>
    </IdentityContext.Provider>
  )
}

/** What somebody may do who is not signed in: sign in, make a passkey, become the first member. */
function Outside({ route, facts }: { readonly route: Route; readonly facts: GateFacts }) {
  if (route.page === 'first-member') return <FirstMember facts={facts} />
  return (
    <>
      <SignIn facts={facts} />
      {route.page === 'people' && <NewPasskey facts={facts} />}
    </>
  )
}

function Page({ route, facts }: { readonly route: Route; readonly facts: GateFacts }) {
  switch (route.page) {
    case 'inbox':
      return <Inbox state={route.state} find={route.find} />
    case 'request':
      return <RequestPage id={route.id} facts={facts} />
    case 'sessions':
      return <Sessions />
    case 'session':
      return <Session id={route.id} />
    case 'ledger':
      return <Ledger from={route.from} facts={facts} />
    case 'break-glasses':
      return <BreakGlasses facts={facts} />
    case 'break-glass':
      return <GlassPage id={route.id} facts={facts} />
    case 'policies':
      return <Policies facts={facts} ask={route.ask} />
    case 'roles':
      return <Later page={<Roles />} />
    case 'replay':
      return <Later page={<Replay />} />
    case 'people':
      return <People facts={facts} />
    case 'first-member':
      return <FirstMember facts={facts} />
    case 'nowhere':
      return (
        <Empty>
          There is no page at this address. <Link to={toInbox()}>To the inbox</Link>
        </Empty>
      )
  }
}

function Later({ page }: { readonly page: ReactNode }) {
  return <Suspense fallback={<Loading what="the page" />}>{page}</Suspense>
}

function titleOf(route: Route): string {
  switch (route.page) {
    case 'request':
      return `Request ${route.id.slice(0, 6)}`
    case 'break-glasses':
      return 'Break-glass'
    case 'nowhere':
      return 'Nothing here'
    case 'first-member':
      return 'The first member'
    default:
      return route.page[0]?.toUpperCase() + route.page.slice(1)
  }
}

function LinkState() {
  const link = useLink()
  const words = { connecting: 'connecting', live: '● live', lost: '○ not live: reconnecting' }[link]
  return (
    <span className={`link link-${link}`} role="status">
      {words}
    </span>
  )
}

function Help() {
  return (
    <section className="notice help" aria-label="Keyboard">
      <p>
        <kbd>j</kbd> <kbd>k</kbd> down and up · <kbd>enter</kbd> open · <kbd>/</kbd> search ·{' '}
        <kbd>g</kbd> <kbd>i</kbd> inbox · <kbd>?</kbd> this. No key approves anything.
      </p>
    </section>
  )
}
