// A cost endpoint on loopback with the sample export in it, and AWS's own client for it.

import type { AddressInfo } from 'node:net'
import {
  CostExplorerClient,
  GetCostAndUsageCommand,
  type GetCostAndUsageCommandInput,
  type GetCostAndUsageCommandOutput,
} from '@aws-sdk/client-cost-explorer'
import { SAMPLE_MONTHS, sampleFocusCsv } from './sample.ts'
import { type CostServerOptions, createCostServer } from './server.ts'
import { type CostStore, openCostStore } from './store.ts'

export const ACCESS_KEY_ID = 'AKIACOSTSTESTEXAMPLE'
export const SECRET_ACCESS_KEY = 'costs/test+secret/example'
/** The day the tests are played on. Signatures are checked against the same clock. */
export const NOW_MS = Date.parse('2026-11-23T12:00:00Z')
export const SAMPLE = sampleFocusCsv({ months: SAMPLE_MONTHS })

export interface CostEndpoint {
  readonly url: string
  readonly store: CostStore
  readonly reported: unknown[]
  client(secretAccessKey?: string): CostExplorerClient
  ask(input: GetCostAndUsageCommandInput): Promise<GetCostAndUsageCommandOutput>
  close(): Promise<void>
}

/** Started, with the sample export unless `csv` is another or null. */
export async function startCostEndpoint(
  options: Partial<CostServerOptions> & { csv?: string | null; nowMs?: number } = {},
): Promise<CostEndpoint> {
  const store = await openCostStore()
  const { csv = SAMPLE, nowMs, ...serverOptions } = options
  if (csv !== null) await store.ingestFocusCsv({ name: 'sample', bytes: Buffer.from(csv) })
  const reported: unknown[] = []
  const server = createCostServer({
    store,
    credentials: (id) => (id === ACCESS_KEY_ID ? SECRET_ACCESS_KEY : undefined),
    now: () => nowMs ?? NOW_MS,
    report: (error) => reported.push(error),
    ...serverOptions,
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clients: CostExplorerClient[] = []
  const client = (secretAccessKey = SECRET_ACCESS_KEY) => {
    const made = new CostExplorerClient({
      region: 'us-east-1',
      endpoint: url,
      maxAttempts: 1,
      // The client signs with this machine's clock plus this.
      systemClockOffset: (nowMs ?? NOW_MS) - Date.now(),
      credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey },
    })
    clients.push(made)
    return made
  }
  const usual = client()
  return {
    url,
    store,
    reported,
    client,
    ask: (input) => usual.send(new GetCostAndUsageCommand(input)),
    close: async () => {
      for (const each of clients) each.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await store.close()
    },
  }
}
