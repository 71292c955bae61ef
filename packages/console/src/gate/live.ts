// What the page knows from the gate, kept current: loaded once, and again when an event says that it
// changed. One stream of events for the whole page; where it breaks, it says so and comes back.
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { GateError, get } from './api.ts'

export interface GateEvent {
  readonly type: string
  readonly index: number
  readonly session?: string
  readonly request?: string
  readonly breakGlass?: string
}

type Listener = (event: GateEvent) => void

/** Whether events arrive. */
export type Link = 'connecting' | 'live' | 'lost'

class EventStream {
  readonly #listeners = new Set<Listener>()
  readonly #watchers = new Set<() => void>()
  #source: EventSource | undefined
  #link: Link = 'connecting'

  get link(): Link {
    return this.#link
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    this.#source ??= this.#open()
    return () => this.#listeners.delete(listener)
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  #open(): EventSource {
    const source = new EventSource('/api/events')
    source.addEventListener('open', () => {
      // What happened while there was no stream is not known, and what was loaded before the first one was there may
      // be old by now: everything is loaded again.
      this.#tell({ type: 'connected', index: -1 })
      this.#become('live')
    })
    source.addEventListener('error', () => this.#become('lost'))
    source.addEventListener('message', ({ data }) => this.#tell(JSON.parse(String(data))))
    return source
  }

  #tell(event: GateEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  #become(link: Link): void {
    if (this.#link === link) return
    this.#link = link
    for (const watcher of this.#watchers) watcher()
  }
}

const stream = new EventStream()

export function useLink(): Link {
  return useSyncExternalStore(
    (watcher) => stream.watch(watcher),
    () => stream.link,
  )
}

export interface Loaded<T> {
  readonly value: T | undefined
  readonly error: GateError | undefined
  readonly reload: () => void
}

/** Loads `path`, and again at each event that `concerns` it. */
export function useLoaded<T>(
  path: string | null,
  concerns: (event: GateEvent) => boolean,
): Loaded<T> {
  const [state, setState] = useState<{ path: string | null; value?: T; error?: GateError }>({
    path: null,
  })
  const [turn, setTurn] = useState(0)
  const reload = useCallback(() => setTurn((last) => last + 1), [])
  // One more turn is one more reason to load.
  const wanted = useMemo(() => ({ path, turn }), [path, turn])
  useEffect(() => {
    const { path } = wanted
    if (path === null) return
    const ending = new AbortController()
    get<T>(path, ending.signal).then(
      (value) => setState({ path, value }),
      (error: unknown) => {
        if (error instanceof GateError) setState((last) => ({ ...last, path, error }))
      },
    )
    return () => ending.abort()
  }, [wanted])
  useEffect(
    () =>
      stream.listen((event) => {
        if (event.type === 'connected' || concerns(event)) reload()
      }),
    [concerns, reload],
  )
  const isOf = state.path === path
  return { value: isOf ? state.value : undefined, error: isOf ? state.error : undefined, reload }
}
