// Real receivers of notices on loopback. The webhook's signature is verified here by WebCrypto, from the words
// of the specification, sharing nothing with the code under test; mail is taken by an SMTP server of others.
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface TakenPost {
  readonly headers: http.IncomingHttpHeaders
  readonly path: string
  readonly text: string
  readonly json: Record<string, unknown>
}

export interface HttpReceiver {
  readonly url: string
  /** Everything that was ever posted, taken or not. */
  readonly posts: TakenPost[]
  /** Status of the next answers; `silence` never answers, a redirect goes to `/elsewhere`. */
  answer: number | 'silence'
  /** Seconds that it asks to wait. */
  retryAfter: number | null
  /** Resolves once there are `count` posts. */
  got(count: number): Promise<readonly TakenPost[]>
  close(): Promise<void>
}

export async function startHttpReceiver(port = 0): Promise<HttpReceiver> {
  const posts: TakenPost[] = []
  const waiting = new Set<() => void>()
  const server = http.createServer((incoming, outgoing) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('end', () => {
      const text = Buffer.concat(pieces).toString('utf8')
      const { headers, url: path = '' } = incoming
      posts.push({ headers, path, text, json: JSON.parse(text) as Record<string, unknown> })
      for (const look of waiting) look()
      if (receiver.answer === 'silence') return
      if (receiver.retryAfter !== null) outgoing.setHeader('retry-after', receiver.retryAfter)
      outgoing.writeHead(receiver.answer, { location: '/elsewhere' }).end('not read by anybody')
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posts,
    answer: 200,
    retryAfter: null,
    got: (count) => reached(posts, count, waiting),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}

/** Whether one of the signatures of a webhook is right, judged within five minutes of its time. */
export async function isRightlySigned(post: TakenPost, secret: string): Promise<boolean> {
  const id = String(post.headers['webhook-id'])
  const timestamp = String(post.headers['webhook-timestamp'])
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300)
    return false
  const raw = Uint8Array.from(atob(secret.replace('whsec_', '')), (character) =>
    character.charCodeAt(0),
  )
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ])
  const content = new TextEncoder().encode(`${id}.${timestamp}.${post.text}`)
  for (const one of String(post.headers['webhook-signature']).split(' ')) {
    const [version, encoded = ''] = one.split(',')
    if (version !== 'v1') continue
    const signature = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
    if (await crypto.subtle.verify('HMAC', key, signature, content)) return true
  }
  return false
}

export interface MailReceiver {
  readonly port: number
  /** As they came, headers and body. */
  readonly mails: string[]
  readonly logins: { user: string; password: string; encrypted: boolean }[]
  got(count: number): Promise<readonly string[]>
  close(): Promise<void>
}

export interface MailOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Key and certificate for STARTTLS; without them it is not offered. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Code that every message is refused with. */
  readonly refuse?: number
}

export async function startMailReceiver(options: MailOptions = {}): Promise<MailReceiver> {
  const mails: string[] = []
  const logins: MailReceiver['logins'] = []
  const waiting = new Set<() => void>()
  const server = new SMTPServer({
    ...options.tls,
    logger: false,
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: options.tls ? [] : ['STARTTLS'],
    onAuth({ username, password }, session, done) {
      const user = String(username)
      logins.push({ user, password: String(password), encrypted: session.secure })
      done(null, { user })
    },
    onData(stream, _session, done) {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => {
        if (options.refuse !== undefined) {
          done(Object.assign(new Error('words of the server'), { responseCode: options.refuse }))
          return
        }
        mails.push(Buffer.concat(pieces).toString('utf8'))
        for (const look of waiting) look()
        done()
      })
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, options.host ?? '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    logins,
    got: (count) => reached(mails, count, waiting),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

function reached<T>(
  list: readonly T[],
  count: number,
  waiting: Set<() => void>,
): Promise<readonly T[]> {
  return new Promise((resolve) => {
    const look = () => {
      if (list.length < count) return
      waiting.delete(look)
      resolve(list)
    }
    waiting.add(look)
    look()
  })
}
