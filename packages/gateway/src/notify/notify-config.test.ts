// From seconder.yaml to channels: what is wrong is named by its field, and no secret is ever in the words.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { placesOf } from '../wall/places.ts'
import { loadNotify } from './load-notify.ts'

const KEY = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const ENVIRON = {
  AWS_ACCESS_KEY_ID: 'AKIAOWNOWNOWNOWNOWN1',
  AWS_SECRET_ACCESS_KEY: 'own/secret',
  KEY,
  HOOK: 'https://hooks.example.com/services/T0/B0/very-secret',
  WORD: 'very-secret-word',
}
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-notify-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function fileWith(channels: string, routes = '[{ channels: [one] }]', more = ''): string {
  const path = join(folder, 'seconder.yaml')
  const text = [
    'upstream: { aws: { credentials: environment } }',
    'roles: { deploy: { arn: "arn:aws:iam::123456789012:role/agent-deploy" } }',
    'notify:',
    `  channels: ${channels}`,
    `  routes: ${routes}`,
    more,
  ]
  writeFileSync(path, text.join('\n'))
  return path
}

const MAIL =
  '{ one: { email: { host: smtp.example.com, from: a@example.com, to: [b@example.com] MORE } } }'
const mail = (more: string) => MAIL.replace(' MORE', more)
const hook = (more: string) => `{ one: { webhook: { url: "https://p.example.com/x", ${more} } } }`

test('channels are read with their secrets from the environment and from files', () => {
  writeFileSync(join(folder, 'slack-url'), `${ENVIRON.HOOK}\n`)
  const path = fileWith(
    '{ one: { slack: { url: "file:slack-url" } }, two: { webhook: { url: "env:HOOK", secret: ["env:KEY", "env:KEY"] } } }',
  )
  const config = loadConfig(path, ENVIRON)
  expect(config.notify?.channels['one']).toMatchObject({ kind: 'slack' })
  expect(config.notify?.channels['two']).toMatchObject({ kind: 'webhook' })
  expect(config.notify).toMatchObject({ gatherMs: 2_000, quietMs: 60_000, timeoutMs: 15_000 })
  const everything = inspect(config.notify, { depth: 9 }) + JSON.stringify(config.notify)
  expect(everything).not.toContain('very-secret')
  expect(everything).not.toContain(KEY.slice(6))
  expect(loadNotify(path, ENVIRON)?.routes).toEqual([{ channels: ['one'], people: [] }])
})

test('C2 a file with the secret of a channel is a place that nobody else may read', () => {
  writeFileSync(join(folder, 'slack-url'), ENVIRON.HOOK)
  const config = loadConfig(fileWith('{ one: { slack: { url: "file:slack-url" } } }'), ENVIRON)
  expect(placesOf(config)).toContainEqual({
    what: 'a secret of a channel',
    path: join(folder, 'slack-url'),
    rule: 'secret',
  })
})

test('without the section nobody is told, and nothing of it is asked for', () => {
  const path = join(folder, 'seconder.yaml')
  writeFileSync(
    path,
    'upstream: { aws: { credentials: environment } }\nroles: { deploy: { arn: "arn:aws:iam::123456789012:role/r" } }\n',
  )
  expect(loadConfig(path, ENVIRON).notify).toBeUndefined()
  expect(loadNotify(path, {})).toBeNull()
})

test.each([
  ['a secret in the file', hook(`secret: "${KEY}"`), /notify\.channels\.one\.webhook\.secret/],
  ['no secret', '{ one: { webhook: { url: "https://p.example.com/x" } } }', /webhook\.secret/],
  [
    'a variable that is not set',
    hook('secret: "env:NOBODY"'),
    /webhook\.secret`: the variable NOBODY/,
  ],
  ['a key that is none', hook('secret: "env:WORD"'), /webhook\.secret`: it is not whsec_/],
  ['three keys', hook('secret: ["env:KEY", "env:KEY", "env:KEY"]'), /webhook\.secret/],
  ['a file that is not there', '{ one: { slack: { url: "file:gone" } } }', /slack\.url`: its file/],
  [
    'an address of Slack in the file',
    '{ one: { slack: { url: "https://hooks.slack.com/x" } } }',
    /slack\.url/,
  ],
  [
    'http to another host',
    hook('secret: "env:KEY"').replace('https:', 'http:'),
    /webhook\.url`: http/,
  ],
  [
    'http to what only looks like loopback',
    hook('secret: "env:KEY"').replace('https://p.example.com', 'http://127.0.0.1.example.com'),
    /webhook\.url/,
  ],
  [
    'http to the metadata of a machine',
    hook('secret: "env:KEY"').replace('https://p.example.com', 'http://169.254.169.254'),
    /webhook\.url/,
  ],
  ['another scheme', hook('secret: "env:KEY"').replace('https:', 'file:'), /webhook\.url/],
  [
    'a user in the address',
    hook('secret: "env:KEY"').replace('p.example', 'u:very-secret@p.example'),
    /webhook\.url`: it holds a user/,
  ],
  [
    'two kinds in one',
    '{ one: { slack: { url: "env:HOOK" }, webhook: { url: "env:HOOK", secret: "env:KEY" } } }',
    /channels\.one`: a channel is exactly one/,
  ],
  ['no kind', '{ one: {} }', /channels\.one`: a channel is exactly one/],
  ['a field that is not known', mail(', approve: true'), /channels\.one\.email/],
  [
    'a mailbox that ends its header',
    mail('').replace('b@example.com', '"b@example.com\\r\\nBcc: c@example.com"'),
    /email\.to\.0/,
  ],
  [
    'two mailboxes in one',
    mail('').replace('b@example.com', '"b@example.com,c@example.com"'),
    /email\.to\.0/,
  ],
  ['a user without a password', mail(', user: u'), /email\.password/],
  ['a password in the file', mail(', user: u, password: very-secret'), /email\.password/],
])('%s is refused by the name of its field', (_what, channels, field) => {
  const error = refusal(channels)
  expect(error.message).toMatch(field)
  expect(error.message + error.help).not.toContain('very-secret')
  expect(error.message + error.help).not.toContain(KEY.slice(6))
})

test.each([
  [
    'a channel that is not there',
    '[{ channels: [two] }]',
    /routes\.0\.channels\.0`: there is no such/,
  ],
  ['a channel of every object', '[{ channels: [constructor] }]', /routes\.0\.channels\.0/],
  ['no route', '[]', /notify\.routes/],
  ['an effect that is none', '[{ effects: [delete], channels: [one] }]', /routes\.0\.effects\.0/],
  ['neither channel nor person', '[{ teams: [sre] }]', /routes\.0\.channels/],
  ['a person without channels', '[{ people: [alice] }]', /routes\.0\.people\.0`: `notify\.people`/],
  ['a team no policy could name', '[{ teams: ["SRE"], channels: [one] }]', /routes\.0\.teams\.0/],
])('a route with %s is refused by the name of its field', (_what, routes, field) => {
  expect(refusal('{ one: { slack: { url: "env:HOOK" } } }', routes).message).toMatch(field)
})

test('a number past its limit is refused, the limit itself is taken', () => {
  const slack = '{ one: { slack: { url: "env:HOOK" } } }'
  const routes = '[{ channels: [one] }]'
  const notify = (more: string) => loadNotify(fileWith(slack, routes, more), ENVIRON)
  expect(notify('  retry: { attempts: 20 }')?.retry.attempts).toBe(20)
  expect(() => notify('  retry: { attempts: 21 }')).toThrow(/notify\.retry\.attempts/)
  expect(() => notify('  timeoutMs: 60001')).toThrow(/notify\.timeoutMs/)
  expect(() => notify('  quietMs: 600001')).toThrow(/notify\.quietMs/)
})

function refusal(channels: string, routes?: string): GatewayError {
  try {
    loadConfig(fileWith(channels, routes), ENVIRON)
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('it was taken')
}
