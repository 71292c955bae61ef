// Channels one by one against real servers, and the command that tries one: TLS or nothing, words of a server
// in no error, and Slack's text without markup.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { DeliveryFailure } from '@seconder/gateway/notify/channel'
import { openChannel } from '@seconder/gateway/notify/channels/open'
import type { Notice } from '@seconder/gateway/notify/notice'
import { type ChannelConfig, NOTIFY, notifyConfig } from '@seconder/gateway/notify/notify-config'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPILED } from '../compiled.ts'
import {
  isRightlySigned,
  type MailOptions,
  type MailReceiver,
  startHttpReceiver,
  startMailReceiver,
} from '../fakes/message-receiver.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
/** Loopback by the kernel, and not one of the addresses that may be spoken to in the clear. */
const OUTSIDE = '127.0.0.2'
const KEY = `whsec_${Buffer.alloc(32, 3).toString('base64')}`

let folder: string
let pair: { key: string; cert: string }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-channels-'))
  pair = await certificate()
  writeFileSync(join(folder, 'ca.pem'), pair.cert)
  writeFileSync(join(folder, 'password'), 'p4ss-very-secret\n')
})

afterAll(() => rmSync(folder, { recursive: true }))

async function certificate() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=smtp.test',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: OUTSIDE }])],
  })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = `-----BEGIN ${'PRIVATE'} KEY-----\n${der.toString('base64')}\n-----END ${'PRIVATE'} KEY-----\n`
  return { key, cert: made.toString('pem') }
}

const REQUEST = {
  id: 'r-0000000000000000000000000a',
  state: 'pending',
  operation: 'dynamodb:DeleteTable',
  effects: ['destroy'],
  environments: ['production'],
  needs: '1 of sre',
  expiresAt: '2026-11-26T14:30:00.000Z',
  by: null,
} as const
const NOTICE: Notice = {
  kind: 'request.opened',
  at: '2026-11-26T14:00:00.000Z',
  gate: 'g',
  session: 's-0000000000000000000000000a',
  operator: 'alice',
  team: null,
  requests: [REQUEST],
}

function configOf(channel: object, environ: Record<string, string> = {}): ChannelConfig {
  const raw = NOTIFY.parse({ channels: { one: channel }, routes: [{ channels: ['one'] }] })
  const config = notifyConfig(raw, { environ, under: (path) => join(folder, path) })
  return config.channels['one'] as ChannelConfig
}

async function send(config: ChannelConfig, notice: Notice = NOTICE, timeoutMs = 30_000) {
  const link = (path: string) => `https://seconder.example.com${path}`
  const attempt = { atMs: Date.now(), signal: AbortSignal.timeout(timeoutMs), link }
  await openChannel(config).send({ id: 'n-1', notice, follows: null }, attempt)
}

/** The whole of a failure: its code, and nothing of the receiver in anything it prints. */
async function failure(sent: Promise<void>): Promise<string> {
  const error = await sent.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(DeliveryFailure)
  const { code, message, cause } = error as DeliveryFailure
  expect(message).toBe(`not delivered: ${code}`)
  expect(cause).toBeUndefined()
  return code
}

async function withMail<T>(options: MailOptions, use: (server: MailReceiver) => Promise<T>) {
  const server = await startMailReceiver(options)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

const mailTo = (host: string, port: number, more: object = {}) => ({
  email: { host, port, from: 'seconder@example.com', to: ['sre@example.com'], ...more },
})
const LOGIN = { user: 'seconder', password: 'file:password' }

test('mail outside loopback goes over TLS under a trusted certificate, the password too', async () => {
  await withMail({ host: OUTSIDE, tls: pair }, async (server) => {
    await send(configOf(mailTo(OUTSIDE, server.port, { ca: 'ca.pem', ...LOGIN })))
    expect(server.logins).toEqual([
      { user: 'seconder', password: 'p4ss-very-secret', encrypted: true },
    ])
    const text = (server.mails[0] ?? '').replaceAll('=\r\n', '')
    expect(text).toContain('Subject: Seconder: dynamodb:DeleteTable in production')
    expect(text).toContain(`https://seconder.example.com/requests/${REQUEST.id}`)
    expect(text).toContain('Content-Type: text/plain')
    expect(text).toContain('Auto-Submitted: auto-generated')
  })
})

test('mail is not sent without STARTTLS, nor under a certificate that is not trusted', async () => {
  await withMail({ host: OUTSIDE }, async (server) => {
    const sent = send(configOf(mailTo(OUTSIDE, server.port, LOGIN)))
    expect(await failure(sent)).toBe('tls')
    expect([server.mails, server.logins]).toEqual([[], []])
  })
  await withMail({ host: OUTSIDE, tls: pair }, async (server) => {
    expect(await failure(send(configOf(mailTo(OUTSIDE, server.port, LOGIN))))).toBe('tls')
    expect([server.mails, server.logins]).toEqual([[], []])
  })
})

test('a refusal of a mail server is its number and none of its words', async () => {
  await withMail({ refuse: 451 }, async (server) => {
    expect(await failure(send(configOf(mailTo('127.0.0.1', server.port))))).toBe('smtp_451')
  })
})

test('M2 no name can add a header to a mail, or a recipient', async () => {
  const operation = 'x\r\nBcc: all@evil.example\r\n\r\n<b>approved</b>'
  const requests = [{ ...REQUEST, operation }]
  await withMail({}, async (server) => {
    await send(configOf(mailTo('127.0.0.1', server.port)), { ...NOTICE, requests })
    const [text = ''] = server.mails
    const [head = ''] = text.split('\r\n\r\n')
    expect(head).not.toMatch(/^Bcc:/im)
    expect(head).toContain('To: sre@example.com')
    expect(text).not.toContain('text/html')
  })
})

test('M2 in Slack no name can mention, link or mark anything, and there is no button', async () => {
  const receiver = await startHttpReceiver()
  const operation = '<!channel> *x* <https://evil.example|approve> &lt;!here&gt; @everyone'
  const requests = [{ ...REQUEST, operation }]
  await send(configOf({ slack: { url: 'env:URL' } }, { URL: receiver.url }), {
    ...NOTICE,
    requests,
  })
  const [post] = await receiver.got(1)
  await receiver.close()
  const { text, blocks, ...flags } = (post?.json ?? {}) as unknown as {
    text: string
    blocks: { type: string; text?: { type: string; text: string } }[]
  }
  expect(flags).toEqual({
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
  })
  expect(text).not.toMatch(/[<>]/)
  const marked = blocks.filter((block) => block.text?.type === 'mrkdwn')
  expect(marked.map((block) => block.text?.text)).toEqual([
    `<https://seconder.example.com/requests/${REQUEST.id}|Read request ${REQUEST.id}>`,
  ])
  const plain = blocks.filter((block) => block.text?.type === 'plain_text')
  for (const block of plain) expect(block.text?.text).not.toMatch(/[<>]/)
  expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'context'])
  expect(post?.text).not.toMatch(/"(button|actions|accessory)"/)
})

test('a receiver that says nothing is left when the time is up, and one that says much is not read', async () => {
  const receiver = await startHttpReceiver()
  const config = configOf({ slack: { url: 'env:URL' } }, { URL: receiver.url })
  receiver.answer = 'silence'
  expect(await failure(send(config, NOTICE, 200))).toBe('timeout')
  receiver.answer = 302
  expect(await failure(send(config))).toBe('http_302')
  expect(receiver.posts.map(({ path }) => path)).toEqual(['/hook', '/hook'])
  await receiver.close()
  expect(await failure(send(config))).toBe('refused')
})

interface Ran {
  readonly code: number
  readonly words: string
}

function command(args: readonly string[], environ: Record<string, string>): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '', ...COMPILED, HOME: folder, ...environ }
    execFile(process.execPath, [MAIN, ...args], { env, cwd: folder }, (error, out, complaints) => {
      resolve({ code: error === null ? 0 : Number(error.code), words: out + complaints })
    })
  })
}

test('seconder notify test sends one message, or says by a code why not', async () => {
  const receiver = await startHttpReceiver()
  writeFileSync(
    join(folder, 'seconder.yaml'),
    [
      'upstream: { aws: { credentials: environment } }',
      'roles: { deploy: { arn: "arn:aws:iam::123456789012:role/agent-deploy" } }',
      'notify:',
      '  channels: { pager: { webhook: { url: "env:URL", secret: "env:KEY" } } }',
      '  routes: [{ channels: [pager] }]',
    ].join('\n'),
  )
  const run = (channel: string, key = KEY) =>
    command(['notify', 'test', '--channel', channel], { URL: receiver.url, KEY: key })
  expect(await run('pager')).toEqual({ code: 0, words: 'Delivered to pager.\n' })
  const [post] = receiver.posts
  expect(post && (await isRightlySigned(post, KEY))).toBe(true)
  expect(post?.json).toMatchObject({ type: 'test', data: { requests: [], session: null } })
  receiver.answer = 500
  const refused = await run('pager')
  expect(refused).toMatchObject({ code: 1, words: expect.stringContaining('(http_500)') })
  expect(await run('nobody')).toMatchObject({ code: 2 })
  const wrong = await run('pager', 'whsec_very-secret')
  expect(wrong).toMatchObject({ code: 1 })
  expect(wrong.words).toContain('notify.channels.pager.webhook.secret')
  expect(refused.words + wrong.words).not.toMatch(/very-secret|127\.0\.0\.1/)
  expect(receiver.posts).toHaveLength(2)
  await receiver.close()
})
