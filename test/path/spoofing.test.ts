// M2: a name that somebody else chose is a name in every place where people read: what hides is seen, what is mixed is
// said, and nothing of it can be taken for words of ours, begin a line of its own or move a terminal.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderAny } from '@seconder/cli/render/plan-document'
import { wrap } from '@seconder/cli/render/terminal'
import { checkAnyDocument } from '@seconder/gateway/review/opening'
import type { AnyDocument } from '@seconder/gateway/review/plan-document'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpReceiver, startHttpReceiver } from '../fakes/message-receiver.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { CommandLine } from './command.ts'
import { Harness, type Keys } from './harness.ts'
import { rawCall } from './wire.ts'

/** Words like ours, a terminal's escape, a turned line, nothing to see, a Cyrillic o, a way out of quotes, markup. */
const NAME =
  'dev-copy (safe)`  (approved by bob)\u001b[2J\u202egpj.\u200b\u043erders<script>alert(1)</script>'
const HIDDEN = /[\p{Cc}\p{Cf}]/u
const SEEN = ['\\u{1b}[2J', '\\u{202e}', '\\u{200b}']

let upstream: FakeUpstream
let room: HttpReceiver
let gate: Harness
let keys: Keys
let id: string

beforeEach(async () => {
  upstream = await startFakeUpstream()
  room = await startHttpReceiver()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
  const key = encodeURIComponent(NAME).replace(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  id = idIn(
    await rawCall(keys, {
      service: 's3',
      method: 'DELETE',
      target: `/reports/${key}`,
      headers: [['x-seconder-reason', encodeURIComponent(`${'x'.repeat(95)}Needs_nobody ${NAME}`)]],
    }),
  )
})

afterEach(async () => {
  await gate.stop()
  await Promise.all([upstream.close(), room.close()])
})

/** Without the colours that are ours. */
const expectPlain = (text: string) => {
  for (const line of text.split('\n')) expect(line).not.toMatch(HIDDEN)
}

test('M2: in a terminal a name stays between its quotes, and a claim behind its bar', async () => {
  const { document } = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
  const checked = checkAnyDocument(document)
  const text = renderAny(checked.document, checked.shown, [])
  expectPlain(text)
  for (const seen of SEEN) expect(text).toContain(seen)
  const named = text.split('\n').find((line) => line.includes('arn:aws:s3:::reports/')) ?? ''
  expect(named).toMatch(
    /^ {2}`arn:aws:s3:::reports\/dev-copy \(safe\)\\u\{60\} [^`]*` \(mixed scripts\)/,
  )
  // No line of the claim begins without its bar, however long its words are.
  const from = text.indexOf('a claim, not a fact')
  const claim = text.slice(from, text.indexOf('\nBefore this', from)).split('\n').slice(1)
  expect(claim.length).toBeGreaterThan(1)
  for (const line of claim) {
    expect(line).toMatch(/^ {2}│ /)
    expect(line.length).toBeLessThanOrEqual(100)
  }
  expect(wrap('a'.repeat(250), 100).map((line) => line.length)).toEqual([100, 100, 50])
})

test('M2: a gate that lies about every field of a document moves no terminal', async () => {
  const { document } = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
  const hostile = (value: unknown): unknown => {
    if (typeof value === 'string') return `${value}\u001b[8m\u202e`
    if (Array.isArray(value)) return value.map(hostile)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        name === 'type' ? inner : hostile(inner),
      ]),
    )
  }
  const lying = hostile(JSON.parse(document)) as AnyDocument
  const effects = {
    ...lying,
    action: { ...(lying as { action: object }).action, effects: ['destroy'] },
  }
  expectPlain(renderAny(effects as AnyDocument, 'ab'.repeat(32), ['bob\u001b[8m']))
})

test('M2: lists, the ledger, the incident report and its page show it as a name', async () => {
  await gate.review('bob', id, 'deny', `${NAME}`)
  const command = new CommandLine(gate)
  const ledger = join(gate.folder, 'ledger')
  const html = join(gate.folder, 'incident.html')
  const markdown = join(gate.folder, 'incident.md')
  const said = [
    await command.person('carol', 'request', 'show', id),
    await command.person('carol', 'request', 'ls'),
    await command.person(null, 'ledger', 'show', ledger, '--last', '50'),
    await command.person(
      null,
      'incident',
      'report',
      '--ledger',
      ledger,
      '--html',
      html,
      '--markdown',
      markdown,
    ),
  ]
  command.remove()
  for (const { code, out, err } of said) {
    expect({ code, err }).toMatchObject({ code: 0 })
    expectPlain(out)
    expectPlain(err)
  }
  const page = readFileSync(html, 'utf8')
  expectPlain(page)
  expect(page).not.toContain('<script>alert')
  expect(page).toContain('(mixed scripts)')
  const text = readFileSync(markdown, 'utf8')
  expectPlain(text)
  expect(text.replaceAll(/`[^`\n]*`/g, '')).not.toContain('<script>')
  expect(text).toContain('(mixed scripts)')
})

test('M2: a ledger of somebody else may hold what it likes; it is shown and not obeyed', async () => {
  const folder = join(gate.folder, 'ledger')
  const command = new CommandLine(gate)
  const key = join(gate.folder, 'lying.vkey')
  writeFileSync(key, 'not\u001b[2J a key\u202e\n')
  const { err } = await command.person(null, 'ledger', 'verify', folder, '--key', key)
  expectPlain(err)
  // A file that no ledger has is named by the verifier, whatever its name would do to a terminal.
  const foreign = join(folder, 'not\u001b[2J a tile\u202e')
  writeFileSync(foreign, '')
  for (const more of [[], ['--json']]) {
    const { code, out } = await command.person(null, 'ledger', 'verify', folder, ...more)
    expect(code).toBe(1)
    expect(out).toContain('a tile')
    expectPlain(out)
  }
  rmSync(foreign)
  command.remove()
})
