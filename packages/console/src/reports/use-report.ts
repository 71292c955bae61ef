// One report of a page: what becomes of it from the files to the end. It stays while the console is open, so
// that a look at another page does not lose it.
import { useCallback, useSyncExternalStore } from 'react'
import { makeReport, type Wish } from './making.ts'
import type { Answer } from './messages.ts'

export type Standing = Answer | { readonly is: 'nothing' }

class Making {
  readonly #watchers = new Set<() => void>()
  #standing: Standing = { is: 'nothing' }
  #end: () => void = () => undefined

  get standing(): Standing {
    return this.#standing
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  start(wish: Wish): void {
    this.#end()
    this.become({ is: 'progress', words: 'fetching the parts', done: 0, of: 1 })
    this.#end = makeReport(wish, (answer) => this.become(answer))
  }

  clear(): void {
    this.#end()
    this.become({ is: 'nothing' })
  }

  become(standing: Standing): void {
    this.#standing = standing
    for (const watcher of this.#watchers) watcher()
  }
}

const makings = { replay: new Making(), roles: new Making() }

export interface MadeReport {
  readonly standing: Standing
  readonly start: (wish: Wish) => void
  readonly fail: (message: string, help: string) => void
  readonly clear: () => void
}

export function useReport(kind: keyof typeof makings): MadeReport {
  const making = makings[kind]
  const standing = useSyncExternalStore(
    useCallback((watcher: () => void) => making.watch(watcher), [making]),
    () => making.standing,
  )
  return {
    standing,
    start: (wish) => making.start(wish),
    fail: (message, help) => making.become({ is: 'failed', message, help }),
    clear: () => making.clear(),
  }
}
