// Makes a report of files that stay in this browser: fetches the parts that a report needs, starts its worker,
// and ends it. The worker's own policy lets it connect to nothing; this page sends nothing of the files either.
import { cedar, index } from 'virtual:report-assets'
import { get } from '../gate/api.ts'
import type { Answer, Ask, GateContent, GivenFile, Parts, RolesOptions } from './messages.ts'
import workerAddress from './report-worker.ts?worker&url'

/** What a person wants a report of. */
export type Wish =
  | { readonly is: 'replay'; readonly files: readonly GivenFile[] }
  | { readonly is: 'roles'; readonly files: readonly GivenFile[]; readonly options: RolesOptions }

/** Starts a report and gives the way to end it; `onAnswer` hears of it until the last answer. */
export function makeReport(wish: Wish, onAnswer: (answer: Answer) => void): () => void {
  const ending = new AbortController()
  let worker: Worker | null = null
  const end = () => {
    ending.abort()
    worker?.terminate()
  }
  const fail = (message: string, help: string) => {
    end()
    onAnswer({ is: 'failed', message, help })
  }
  asked(wish, ending.signal).then(
    ({ ask, parts }) => {
      if (ending.signal.aborted) return
      worker = new Worker(trusted(workerAddress), { type: 'module', name: 'seconder-report' })
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        onAnswer(data)
        if (data.is !== 'progress') end()
      }
      worker.onerror = () =>
        fail('the report ended before it was done', 'drop less at once, or use the command line')
      worker.postMessage(ask, parts)
    },
    (error: { message?: string; help?: string }) => {
      if (ending.signal.aborted) return
      fail(error.message ?? 'the gate does not answer', error.help || 'try again')
    },
  )
  return end
}

async function asked(wish: Wish, signal: AbortSignal): Promise<{ ask: Ask; parts: ArrayBuffer[] }> {
  const [content, indexBytes, cedarBytes] = await Promise.all([
    get<GateContent>('/api/policies', signal),
    part(index, signal),
    wish.is === 'replay' ? part(cedar, signal) : null,
  ])
  const parts: Parts = { index: indexBytes, cedar: cedarBytes }
  const list = cedarBytes === null ? [indexBytes] : [indexBytes, cedarBytes]
  return { ask: { ...wish, parts, content }, parts: list }
}

async function part(address: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const answer = await fetch(address, { signal })
  if (!answer.ok) throw new Error(`the gate answered ${answer.status} for a part of the console`)
  return answer.arrayBuffer()
}

/** Source: https://www.w3.org/TR/trusted-types/ */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (address: string) => string },
  ): { createScriptURL(address: string): string }
}

/** The one address that a worker of this page may have. */
function trusted(address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  if (trustedTypes === undefined) return address
  const only = (asked: string) => {
    if (asked !== workerAddress) throw new TypeError('no other worker is started here')
    return asked
  }
  policy ??= trustedTypes.createPolicy('seconder-report', { createScriptURL: only })
  return policy.createScriptURL(address)
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined
