// An AWS on loopback that tests script: an STS that lends and a service behind it. It verifies every
// signature, knows which key was lent for which AssumeRole, and remembers both. Speaks awsQuery as STS does.
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { verify } from '@seconder/aws/sigv4/verify'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'

export const OWN_KEY = {
  accessKeyId: 'AKIAOWNOWNOWNOWNOWN1',
  secretAccessKey: 'own/secret+never+leaves+the+gate',
}

export interface Lending {
  readonly form: ReadonlyMap<string, string>
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** The key that signed; null for a web identity. */
  readonly signedBy: string | null
}

export interface Effect {
  readonly accessKeyId: string
  readonly token: string | undefined
  readonly request: WireRequest
}

export interface ScriptedAws {
  readonly url: string
  readonly lendings: Lending[]
  /** Calls that are none of STS, in order. */
  readonly effects: Effect[]
  /** Seconds until what is lent ends. */
  lifeSeconds: number
  /** What STS answers instead of lending; null = it lends. */
  refusal: { readonly code: string; readonly message: string } | null
  /** Raw body of STS's answer; null = a real one. */
  raw: string | null
  /** Resolved before STS answers. */
  gate: Promise<void>
  close(): Promise<void>
}

export async function startScriptedAws(nowMs: () => number): Promise<ScriptedAws> {
  const secrets = new Map([[OWN_KEY.accessKeyId, OWN_KEY.secretAccessKey]])
  const aws = {
    lendings: [] as Lending[],
    effects: [] as Effect[],
    lifeSeconds: 900,
    refusal: null as ScriptedAws['refusal'],
    raw: null as string | null,
    gate: Promise.resolve(),
  }
  const server = http.createServer((incoming, outgoing) => {
    void (async () => {
      const request = await whole(incoming)
      const form = new Map(new URLSearchParams(Buffer.from(request.body).toString()))
      const action = form.get('Action') ?? ''
      const signedBy = action === 'AssumeRoleWithWebIdentity' ? null : signer(request)
      if (!action.startsWith('AssumeRole')) {
        const token = header(request, 'x-amz-security-token')
        aws.effects.push({ accessKeyId: signedBy ?? '', token, request })
        outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}')
        return
      }
      await aws.gate
      if (aws.refusal) {
        outgoing.writeHead(403, { 'content-type': 'text/xml' }).end(errorXml(aws.refusal))
        return
      }
      const lent = {
        form,
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: `lent/${randomBytes(12).toString('hex')}`,
        sessionToken: `token/${randomBytes(12).toString('hex')}`,
        signedBy,
      }
      secrets.set(lent.accessKeyId, lent.secretAccessKey)
      aws.lendings.push(lent)
      const body = aws.raw ?? lentXml(action, lent, nowMs() + aws.lifeSeconds * 1000)
      outgoing.writeHead(200, { 'content-type': 'text/xml' }).end(body)
    })().catch((cause) => outgoing.writeHead(403).end(String(cause)))
  })
  const signer = (request: WireRequest): string =>
    verify(request, (id) => secrets.get(id), nowMs()).accessKeyId
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(aws, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

function header({ headers }: WireRequest, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1]
}

async function whole(incoming: http.IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const headers: WireHeader[] = []
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.push([incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? ''])
  }
  const { method = '', url: target = '' } = incoming
  return { method, target, headers, body: Buffer.concat(chunks) }
}

function lentXml(action: string, lent: Lending, expiresAtMs: number): string {
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>
<Credentials><AccessKeyId>${lent.accessKeyId}</AccessKeyId>
<SecretAccessKey>${lent.secretAccessKey}</SecretAccessKey>
<SessionToken>${lent.sessionToken}</SessionToken>
<Expiration>${new Date(expiresAtMs).toISOString()}</Expiration></Credentials>
<PackedPolicySize>6</PackedPolicySize></${action}Result></${action}Response>`
}

function errorXml({ code, message }: { code: string; message: string }): string {
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
}
