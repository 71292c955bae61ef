// Which relying parties count, by the configuration as an operator writes it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { countsAt, relyingPartyOf } from './relying-party.ts'

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' }

function configOf(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'seconder-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'seconder.yaml')
  writeFileSync(path, text)
  return loadConfig(path, KEYS)
}

test('M4: an origin by plain http or by an address is a mistake in the file', () => {
  for (const [origin, why] of [
    ['http://console.example', 'line 1.*write https://HOST'],
    ['https://192.0.2.7', 'line 1.*belongs to a name'],
    ['http://127.0.0.1:8788', 'line 1.*write https://HOST'],
    ['https://[::1]', 'line 1.*write https://HOST'],
  ] as const) {
    const text = `console: { origins: ["${origin}"] }\nroles: {}\nupstream: { aws: {} }\n`
    expect(() => configOf(text)).toThrow(new RegExp(why))
  }
})

test.each([
  ['console: { origins: ["https://console.example"] }', 'aws: {}', true],
  [
    'console: { origins: ["https://gate.console.example"], rpId: console.example }',
    'aws: {}',
    true,
  ],
  ['', 'aws: {}', false],
  ['console: { origins: ["http://localhost:8788"] }', 'aws: {}', false],
  ['console: { origins: ["https://localhost"] }', 'aws: {}', false],
  ['console: { origins: ["https://a.localhost"] }', 'aws: {}', false],
  ['console: { singleMachine: false }', 'aws: {}', false],
  ['console: { singleMachine: true }', 'aws: {}', true],
  ['', 'aws: { assumeRole: false }', false],
  ['', 'aws: { endpoint: "http://127.0.0.1:5000" }', true],
  ['', 'aws: { endpoint: "http://127.0.0.1:5000", assumeRole: true }', false],
])('M4: with `%s` and upstream `%s` passkeys count: %s', (console, upstream, counts) => {
  const config = configOf(`${console}\nroles: {}\nupstream: { ${upstream} }\n`)
  const relyingParty = relyingPartyOf(config.console, 'http://127.0.0.1:8788')
  expect(countsAt(config, relyingParty)).toBe(counts)
})
