// Compiles data/endpoints.json: which host answers for a signing name and a region. From the API
// models of npm `aws-sdk` (endpoint prefixes, host prefixes), the host prefixes that the v3 clients
// have in addition, the partitions of `@aws-sdk/core`, and data/endpoints-overrides.json (what those
// do not say). Run by `npm run index`.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { EndpointRow, EndpointTable, PartitionRow } from '../src/endpoints/endpoint-table.ts'
import { readClientModels } from './client-models.ts'

interface Overrides {
  readonly excludedPrefixes: Readonly<Record<string, string>>
  readonly defaultPrefixes: Readonly<Record<string, string>>
  readonly addedPrefixes: Readonly<Record<string, readonly string[]>>
  readonly dualStackOnly: readonly string[]
  readonly pinnedRegions: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly hosts: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly regionHosts: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Label to the operations whose model puts it before their host. */
type Labels = Readonly<Record<string, readonly string[]>>

interface ApiModel {
  readonly metadata?: {
    readonly serviceId?: string
    readonly signingName?: string
    readonly endpointPrefix: string
  }
  readonly operations?: Readonly<Record<string, { readonly endpoint?: { hostPrefix?: string } }>>
}

interface SdkPartitions {
  readonly partitions: readonly {
    readonly id: string
    readonly outputs: { readonly dnsSuffix: string; readonly dualStackDnsSuffix: string }
    readonly regions: Readonly<Record<string, unknown>>
  }[]
}

const DATA = fileURLToPath(new URL('../data', import.meta.url))

export const ENDPOINTS_PATH = join(DATA, 'endpoints.json')
const MODELS_MAX = 2_000
const PARTITIONS_FILE = 'dist-es/submodules/client/util-endpoints/lib/aws/partitions.js'

/** The compiled table. Throws where a package it reads is not installed. */
export async function compileEndpoints(): Promise<EndpointTable> {
  const overrides = JSON.parse(
    readFileSync(join(DATA, 'endpoints-overrides.json'), 'utf8'),
  ) as Overrides
  const prefixes = endpointPrefixes(overrides)
  const services: Record<string, EndpointTable['services'][string]> = {}
  for (const service of [...prefixes.keys()].sort()) {
    const found = prefixes.get(service) ?? new Map<string, LabelRows>()
    const names = [...found.keys()].sort()
    const endpoints: Record<string, EndpointRow> = {}
    for (const name of names) {
      endpoints[name] = endpointRow(name, sortedLabels(found.get(name)), overrides)
    }
    const preferred = overrides.defaultPrefixes[service] ?? service
    const only = names.length === 1 ? names[0] : undefined
    const defaultPrefix = names.includes(preferred) ? preferred : (only ?? null)
    services[service] = { defaultPrefix, endpoints }
  }
  return { partitions: await partitionRows(), services }
}

type LabelRows = Map<string, Set<string>>

function endpointPrefixes(overrides: Overrides): Map<string, Map<string, LabelRows>> {
  const prefixes = new Map<string, Map<string, LabelRows>>()
  const add = (service: string, prefix: string): LabelRows => {
    const rows = prefixes.get(service) ?? new Map<string, LabelRows>()
    const labels = rows.get(prefix) ?? new Map<string, Set<string>>()
    prefixes.set(service, rows.set(prefix, labels))
    return labels
  }
  const newer = new Map(readClientModels().map(({ id, operations }) => [id, operations]))
  for (const { metadata, operations = {} } of apiModels()) {
    if (metadata === undefined || metadata.endpointPrefix in overrides.excludedPrefixes) continue
    const { endpointPrefix: prefix, signingName = prefix } = metadata
    const labels = add(signingName, prefix)
    for (const [operation, { endpoint }] of Object.entries(operations)) {
      addLabel(labels, endpoint?.hostPrefix, operation)
    }
    const added = newer.get(metadata.serviceId ?? '') ?? {}
    for (const [operation, { hostPrefix }] of Object.entries(added)) {
      addLabel(labels, hostPrefix, operation)
    }
  }
  for (const [service, added] of Object.entries(overrides.addedPrefixes)) {
    for (const prefix of added) add(service, prefix)
  }
  return prefixes
}

/** A label made from the request itself, but for the caller's account, is in no closed table. */
function addLabel(labels: LabelRows, label: string | undefined, operation: string): void {
  if (label === undefined || /^\{(?!AccountId\}\.$)/.test(label)) return
  labels.set(label, (labels.get(label) ?? new Set()).add(operation))
}

function sortedLabels(labels: LabelRows | undefined): Labels {
  const rows = [...(labels ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(rows.map(([label, operations]) => [label, [...operations].sort()]))
}

function apiModels(): ApiModel[] {
  const apis = join(dirname(createRequire(import.meta.url).resolve('aws-sdk/package.json')), 'apis')
  const files = readdirSync(apis).filter((name) => name.endsWith('.min.json'))
  if (files.length > MODELS_MAX) throw new Error('more API models than expected')
  return files.sort().map((name) => JSON.parse(readFileSync(join(apis, name), 'utf8')) as ApiModel)
}

async function partitionRows(): Promise<Record<string, PartitionRow>> {
  const require = createRequire(import.meta.url)
  const file = join(dirname(require.resolve('@aws-sdk/core/package.json')), PARTITIONS_FILE)
  const loaded = (await import(pathToFileURL(file).href)) as { partitionsInfo: SdkPartitions }
  const rows: Record<string, PartitionRow> = {}
  for (const { id, outputs, regions } of loaded.partitionsInfo.partitions) {
    rows[id] = {
      dnsSuffix: outputs.dnsSuffix,
      dualStackDnsSuffix: outputs.dualStackDnsSuffix,
      // `aws-global` and its like are names of SDKs, not regions that anything is signed for.
      regions: Object.keys(regions)
        .filter((region) => !region.endsWith('-global'))
        .sort(),
    }
  }
  return rows
}

function endpointRow(prefix: string, labels: Labels, overrides: Overrides): EndpointRow {
  const isDualStack = overrides.dualStackOnly.includes(prefix)
  const regions = overrides.pinnedRegions[prefix]
  const hosts = overrides.hosts[prefix]
  const regionHosts = overrides.regionHosts[prefix]
  return {
    host: `${prefix}.{region}.${isDualStack ? '{dualStackDnsSuffix}' : '{dnsSuffix}'}`,
    ...(hosts === undefined ? {} : { partitionHosts: hosts }),
    ...(regionHosts === undefined ? {} : { regionHosts }),
    ...(regions === undefined ? {} : { pinnedRegions: regions }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  }
}

/** The table as the file holds it: one service a line, so that a change reads well in a diff. */
export function endpointTableText(table: EndpointTable): string {
  const lines = (rows: Readonly<Record<string, unknown>>) =>
    Object.entries(rows)
      .map(([name, row]) => `${JSON.stringify(name)}:${JSON.stringify(row)}`)
      .join(',\n')
  const partitions = `"partitions":{\n${lines(table.partitions)}\n}`
  return `{${partitions},"services":{\n${lines(table.services)}\n}}\n`
}
