// A place that real clients take for AWS: a proxy for CONNECT whose tunnels end in a TLS server with a
// certificate for whatever AWS host is asked for, and that keeps each request's bytes as they were
// sent. Nothing leaves this machine, and nothing is ever answered but what a row says.
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { systemClock } from '@seconder/gateway/lib/clock'
import { openAuthority } from '@seconder/gateway/receive/connect/authority'

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What every client takes as a refusal and does not send again. */
export const REFUSAL: Answer = {
  status: 403,
  headers: { 'content-type': 'text/xml' },
  body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>captured</Message></Error></ErrorResponse>',
}

export interface Taken {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

export interface Listener {
  readonly proxyUrl: string
  readonly port: number
  readonly caFile: string
  /** Requests since the last call of `expect`, in order. */
  readonly taken: Taken[]
  /** Forgets what was taken, and answers the next requests so; then with REFUSAL. */
  expect(answers: readonly Answer[]): void
  close(): void
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Headers as sent, in order, but for the framing of the hop, which node has already taken off. */
function headersOf(request: IncomingMessage): [string, string][] {
  const headers: [string, string][] = []
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? ''
    if (!/^(transfer-encoding|connection|expect)$/i.test(name)) {
      headers.push([name, request.rawHeaders[at + 1] ?? ''])
    }
  }
  return headers
}

function listening(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port
}

export async function startListener(folder: string): Promise<Listener> {
  const authority = await openAuthority(folder, systemClock())
  const taken: Taken[] = []
  let answers: readonly Answer[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bytesOf(request)
    const { method = '', url: target = '' } = request
    taken.push({ method, target, headers: headersOf(request), body })
    const { status, headers, body: text } = answers[taken.length - 1] ?? REFUSAL
    response.writeHead(status, headers)
    response.end(text)
  }
  const secure = createSecure(
    {
      SNICallback: (host, done) => {
        authority.contextFor(host).then(
          (context) => done(null, context),
          (error: Error) => done(error),
        )
      },
    },
    (request, response) => void handle(request, response),
  )
  const proxy = createPlain()
  const tunnels = new Set<Socket>()
  proxy.on('connect', (_, socket: Socket) => {
    const inner = connect(listening(secure), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(inner).pipe(socket)
    })
    for (const each of [socket, inner]) {
      tunnels.add(each)
      each.on('error', () => each.destroy())
      each.on('close', () => tunnels.delete(each))
    }
  })
  for (const server of [secure, proxy]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  }
  return {
    proxyUrl: `http://127.0.0.1:${listening(proxy)}`,
    port: listening(secure),
    caFile: authority.caFile,
    taken,
    expect(next) {
      taken.length = 0
      answers = next
    },
    close() {
      secure.closeAllConnections()
      for (const each of tunnels) each.destroy()
      secure.close()
      proxy.close()
    },
  }
}
