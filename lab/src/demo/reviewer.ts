// The demo's second person as a process: polls the gate's public API for what waits, checks and reads
// the review document, and signs its verdict with an ordinary SSH key. No switch makes it say yes.
import { setTimeout as pause } from 'node:timers/promises'
import { GateClient } from '@seconder/cli/gate-client'
import { checkedRequest, signReview } from '@seconder/cli/reviewing'
import { signerFor } from '@seconder/cli/signing'
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import { judge } from './verdict.ts'

const POLL_MS = 200
/** The time it takes to read what is shown. A person needs longer. */
const READING_MS = 1_500

const client = new GateClient(process.env['SECONDER_GATE'])
const signer = await signerFor(client, process.argv[2])
const answered = new Set<string>()

for (;;) {
  const { requests } = await client.get<{ requests: ShownRequest[] }>('/api/requests?state=pending')
  for (const { requestId } of requests) {
    if (answered.has(requestId)) continue
    const checked = await checkedRequest(client, requestId)
    const { document } = checked
    // The demo's agent asks for single calls; a plan is for a person.
    if (document.type !== 'seconder-review-document@v1') continue
    await pause(READING_MS)
    await signReview(client, signer, checked, judge(document))
    answered.add(requestId)
  }
  await pause(POLL_MS)
}
