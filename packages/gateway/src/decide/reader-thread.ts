// The thread in which a policy set is read under Node (policy-reader.ts), with its limits. A browser has no such
// threads: the console's build puts a file of its own in the place of this one.
import { Worker } from 'node:worker_threads'
import { PolicyError } from './errors.ts'
import type { ReaderMessage } from './policy-reader.ts'
import type { PolicySources, ReadPolicies } from './read-policies.ts'

/**
 * The reader's stack. Smaller than the main thread's (about 1 MB), so that what the reader can
 * parse and evaluate, the main thread can too.
 */
const READER_STACK_MB = 0.5

/** What `readPolicies` makes of the sources. One worker for one set; it is ended whatever happens. */
export function readInWorker(sources: PolicySources, timeoutMs: number): Promise<ReadPolicies> {
  // Run from source it is .ts; packed, the built file stands beside the built reader.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./policy-reader.${extension}`, import.meta.url), {
    workerData: sources,
    resourceLimits: { stackSizeMb: READER_STACK_MB },
    // No flag and no variable of the gate reaches the reader.
    execArgv: [],
    env: {},
  })
  let reading = ''
  return new Promise<ReadPolicies>((resolve, reject) => {
    const fail = (message: string, cause?: unknown) => reject(died(reading, message, cause))
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs)
    worker.on('message', (message: ReaderMessage) => {
      if (message.result === 'reading') reading = message.file
      else if (message.result === 'read') resolve(message.read)
      else reject(new PolicyError(message.fault))
    })
    worker.once('error', (cause) => fail('the policy reader failed', cause))
    worker.once('exit', () => {
      clearTimeout(timer)
      fail('the policy reader ended without an answer')
    })
  }).finally(() => worker.terminate())
}

function died(file: string, message: string, cause?: unknown): PolicyError {
  return new PolicyError(
    {
      code: 'policy_unparsable',
      file,
      message,
      help: 'look for deeply nested parentheses or a very long chain of `&&` or `||`',
    },
    cause,
  )
}
