// Sends one call by an AWS SDK v3 client as it is installed somewhere, over TLS, to the listener that
// it takes for AWS; the client chooses host, protocol, signature and checksums itself.
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { Readable } from 'node:stream'
import { connect } from 'node:tls'
import { pathToFileURL } from 'node:url'
import type { CallRow } from './capture.ts'
import type { Listener } from './listener.ts'

export interface Sdk {
  /** The client's module. */
  readonly entry: string
  readonly resolve: (name: string) => string
  readonly listener: Listener
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

interface Client {
  send(command: object): Promise<unknown>
  destroy(): void
}

type Module = Readonly<Record<string, new (input: unknown) => never>>

/** Every connection goes to the listener, under the name of the host that the client asked for. */
function agentFor({ port, caFile }: Listener): Agent {
  const ca = readFileSync(caFile)
  const agent = new Agent({ keepAlive: false })
  Object.assign(agent, {
    createConnection: ({ servername }: { servername: string }) =>
      connect({ host: '127.0.0.1', port, servername, ca, ALPNProtocols: ['http/1.1'] }),
  })
  return agent
}

function bodiesOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$bytes' in value) return Buffer.from(String(value.$bytes))
  if ('$date' in value) return new Date(String(value.$date))
  if ('$stream' in value) return Readable.from([Buffer.from(String(value.$stream))])
  if (Array.isArray(value)) return value.map(bodiesOf)
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, bodiesOf(each)]))
}

async function moduleOf(path: string): Promise<Module> {
  return import(pathToFileURL(path).href)
}

/** A row's `"protocol": "rpcv2Cbor"` is the SDK's own class, which a client may be given. */
async function settingsOf(row: CallRow, sdk: Sdk): Promise<object> {
  const { protocol, ...settings } = row.settings ?? {}
  if (protocol === undefined) return settings
  const classes = await moduleOf(sdk.resolve('@aws-sdk/core/protocols'))
  return { ...settings, protocol: classes['AwsSmithyRpcV2CborProtocol'] }
}

/** Returns the URL where the row asks for one, else what the client said of the answer. */
export async function sendBySdk(row: CallRow, sdk: Sdk): Promise<string> {
  const [, command, input] = row.sdk ?? ['', '', {}]
  const module = await moduleOf(sdk.entry)
  const names = Object.keys(module).filter((name) => /^[A-Z]\w*Client$/.test(name))
  const Client = module[names.find((name) => name !== '__Client') ?? '']
  const Command = module[`${command}Command`]
  if (Client === undefined || Command === undefined) throw new Error(`${row.file}: no ${command}`)
  const client: Client = new Client({
    region: row.region,
    credentials: sdk.keys,
    maxAttempts: (row.answers?.length ?? 0) + 1,
    requestHandler: { httpsAgent: agentFor(sdk.listener) },
    ...(await settingsOf(row, sdk)),
  })
  const asked: object = new Command(bodiesOf(input))
  try {
    if (row.presign) {
      const presigner = await moduleOf(sdk.resolve('@aws-sdk/s3-request-presigner'))
      const sign = presigner['getSignedUrl'] as unknown as (
        client: Client,
        command: object,
      ) => Promise<string>
      return await sign(client, asked)
    }
    return await client.send(asked).then(
      () => 'answered',
      (error: Error) => error.message,
    )
  } finally {
    client.destroy()
  }
}
