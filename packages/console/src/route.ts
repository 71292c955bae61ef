// Addresses of the console, made and read in this one place. All that a page shows is in its address.
import { useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'inbox'; readonly state: string; readonly find: string }
  | { readonly page: 'request'; readonly id: string }
  | { readonly page: 'sessions' }
  | { readonly page: 'session'; readonly id: string }
  | { readonly page: 'ledger'; readonly from: number | null }
  | { readonly page: 'policies'; readonly ask: string }
  | { readonly page: 'break-glasses' }
  | { readonly page: 'break-glass'; readonly id: string }
  | { readonly page: 'roles' }
  | { readonly page: 'replay' }
  | { readonly page: 'people' }
  | { readonly page: 'first-member' }
  | { readonly page: 'nowhere'; readonly path: string }

export const toInbox = (state = 'pending', find = ''): string => {
  const query = new URLSearchParams()
  if (state !== 'pending') query.set('state', state)
  if (find !== '') query.set('find', find)
  const text = query.toString()
  return text === '' ? '/' : `/?${text}`
}
export const toRequest = (id: string): string => `/requests/${encodeURIComponent(id)}`
export const toSessions = (): string => '/sessions'
export const toSession = (id: string): string => `/sessions/${encodeURIComponent(id)}`
export const toLedger = (from?: number): string =>
  from === undefined ? '/ledger' : `/ledger?from=${from}`
/** `ask` is a question to the policies, as the gate's API takes it. */
export const toPolicies = (ask = ''): string => (ask === '' ? '/policies' : `/policies?${ask}`)
export const toBreakGlasses = (): string => '/break-glass'
export const toBreakGlass = (id: string): string => `/break-glass/${encodeURIComponent(id)}`
export const toRoles = (): string => '/roles'
export const toReplay = (): string => '/replay'
export const toPeople = (): string => '/people'

export function routeOf(address: string): Route {
  const { pathname, searchParams } = new URL(address, 'http://console.invalid')
  const [first = '', id = '', ...rest] = pathname.slice(1).split('/').map(decoded)
  if (rest.length > 0) return { page: 'nowhere', path: pathname }
  switch (first) {
    case '':
      return {
        page: 'inbox',
        state: searchParams.get('state') ?? 'pending',
        find: searchParams.get('find') ?? '',
      }
    case 'requests':
      return id === '' ? { page: 'inbox', state: 'all', find: '' } : { page: 'request', id }
    case 'sessions':
      return id === '' ? { page: 'sessions' } : { page: 'session', id }
    case 'ledger': {
      const from = searchParams.get('from')
      return {
        page: 'ledger',
        from: from !== null && /^\d{1,15}$/.test(from) ? Number(from) : null,
      }
    }
    case 'break-glass':
      return id === '' ? { page: 'break-glasses' } : { page: 'break-glass', id }
    case 'policies':
      return { page: 'policies', ask: searchParams.toString() }
    case 'roles':
      return { page: 'roles' }
    case 'replay':
      return { page: 'replay' }
    case 'people':
      return { page: 'people' }
    case 'first-member':
      return { page: 'first-member' }
    default:
      return { page: 'nowhere', path: pathname }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const MOVED = 'seconder-moved'

/** Goes to an address of the console; `replace` leaves no step to go back to. */
export function go(address: string, replace = false): void {
  if (replace) history.replaceState(null, '', address)
  else history.pushState(null, '', address)
  dispatchEvent(new Event(MOVED))
}

export function useRoute(): Route {
  const address = useSyncExternalStore(
    (changed) => {
      addEventListener('popstate', changed)
      addEventListener(MOVED, changed)
      return () => {
        removeEventListener('popstate', changed)
        removeEventListener(MOVED, changed)
      }
    },
    () => location.pathname + location.search,
  )
  return routeOf(address)
}
