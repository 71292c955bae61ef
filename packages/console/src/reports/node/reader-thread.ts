// In the place of the gateway's decide/reader-thread.ts: reads the policies where it runs, which is a worker that
// is thrown away with them.
import {
  type PolicySources,
  type ReadPolicies,
  readPolicies,
} from '@seconder/gateway/decide/read-policies'
import { freshCedar } from './fresh-cedar.ts'

export async function readInWorker(sources: PolicySources): Promise<ReadPolicies> {
  return readPolicies(freshCedar(), sources, () => undefined)
}
