// A whole world for one run: the cloud, the stack with its exports and settings, an offline copy, the
// Cost Explorer service with its own role's keys, and what its answers must be.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cloud, startCloud } from '../cloud/cloud.ts'
import {
  type CostService,
  exportKey,
  startCostExplorerService,
} from '../cloud/cost-explorer-service.ts'
import {
  type CostExplorerEnvironment,
  createCostExplorerEnvironment,
  exportOfflineCopy,
  RIGHT_FACTOR,
  type Setting,
} from '../cloud/environment.ts'
import { type ClientOptions, type SdkClients, sdkClients } from '../cloud/sdk-clients.ts'
import { reportTotal } from './billed-total.ts'

export interface World extends AsyncDisposable {
  readonly cloud: Cloud
  readonly environment: CostExplorerEnvironment
  readonly service: CostService
  /** The operator's keys, and clients on them. */
  readonly access: ClientOptions
  readonly clients: SdkClients
  /** Folder of the offline copy. */
  readonly copy: string
  /** What each month must cost, from the copy's exports; exact, and not from the service. */
  readonly rightTotals: ReadonlyMap<string, string>
}

export async function startWorld(folder: string): Promise<World> {
  await using made = new AsyncDisposableStack()
  const cloud = await startCloud({ dataDirectory: join(folder, 'objects') })
  made.defer(() => cloud.close())
  const environment = await createCostExplorerEnvironment(cloud)
  const { endpoint, region, credentials } = cloud
  const access = { endpoint, region, credentials: credentials.operator }
  const copy = join(folder, 'offline-copy')
  await exportOfflineCopy(access, copy)
  const rightTotals = await totalsOf(copy, environment)
  const service = await startCostExplorerService({
    endpoint,
    region,
    credentials: credentials.costExplorer,
  })
  made.defer(() => service.close())
  const clients = made.adopt(sdkClients(access), (opened) => opened.destroy())
  const owned = made.move()
  return {
    cloud,
    environment,
    service,
    access,
    clients,
    copy,
    rightTotals,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface OfflineCopy {
  readonly objects: readonly { readonly key: string; readonly file: string }[]
  readonly settings: readonly Setting[]
}

/** Every factor is as it is set, but for the month that is known to be wrong. */
async function totalsOf(
  copy: string,
  { months, wrongMonth }: CostExplorerEnvironment,
): Promise<ReadonlyMap<string, string>> {
  const { objects, settings } = JSON.parse(
    await readFile(join(copy, 'manifest.json'), 'utf8'),
  ) as OfflineCopy
  const totals = new Map<string, string>()
  for (const month of months) {
    const file = objects.find(({ key }) => key === exportKey(month))?.file ?? ''
    const set = settings.find((setting) => setting.month === month)?.factor ?? ''
    const csv = await readFile(join(copy, file), 'utf8')
    totals.set(month, reportTotal(csv, month === wrongMonth ? RIGHT_FACTOR : set))
  }
  return totals
}
