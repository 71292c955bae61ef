// The worker of the reports: it alone reads what a person drops, and it was served with a policy that lets it
// connect to nothing. One worker makes one report and is ended.
import './node/buffer.ts'
import { type Answer, type Ask, type Parts, ReportFault } from './messages.ts'
import { give } from './node/fs.ts'
import { unpacked } from './unpacking.ts'

/** What a worker has of its own. Source: https://html.spec.whatwg.org/multipage/workers.html#dedicatedworkerglobalscope */
interface Scope {
  onmessage: ((event: { readonly data: Ask }) => void) | null
  postMessage(answer: Answer): void
}

const scope = globalThis as unknown as Scope

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage(await answerTo(data, (progress) => scope.postMessage(progress)))
  } catch (cause) {
    scope.postMessage({ is: 'failed', ...wordsOf(cause) })
  }
}

async function answerTo(ask: Ask, onProgress: (answer: Answer) => void): Promise<Answer> {
  onProgress({ is: 'progress', words: 'making ready', done: 0, of: 1 })
  await begin(ask.parts)
  if (ask.is === 'replay') {
    const { replayOf } = await import('./replaying.ts')
    return replayOf(ask, onProgress)
  }
  const { auditOfFiles } = await import('./auditing.ts')
  return auditOfFiles(ask, onProgress)
}

async function begin({ index, cedar }: Parts): Promise<void> {
  give('service-index', Buffer.from(await unpacked(index)))
  if (cedar === null) return
  const { giveCedar } = await import('./node/fresh-cedar.ts')
  giveCedar(await unpacked(cedar))
}

function wordsOf(cause: unknown): { message: string; help: string } {
  if (cause instanceof ReportFault) return { message: cause.message, help: cause.help }
  const { message, help } = cause as { message?: unknown; help?: unknown }
  return {
    message: typeof message === 'string' ? message : 'the report could not be made',
    help:
      typeof help === 'string'
        ? help
        : 'the command line reads what a browser cannot: seconder replay, seconder roles audit',
  }
}
