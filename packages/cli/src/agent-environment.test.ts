import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  caFileOf,
  connectEnvironment,
  endpointEnvironment,
  shellLines,
} from './agent-environment.ts'

const KEYS = {
  accessKeyId: 'AKIASECONDER4EXAMPLE',
  secretAccessKey: 'a/b+c',
  endpoint: 'http://127.0.0.1:8787',
}

/** What a shell has in its environment after `eval` of these lines. */
function evaluated(lines: readonly string[], names: readonly string[]): string[] {
  const show = names.map((name) => `printf '%s\\n' "\${${name}-unset}"`)
  const env = {
    PATH: '/usr/bin:/bin',
    https_proxy: 'http://other',
    NO_PROXY: '*',
    AWS_PROFILE: 'x',
    AWS_ENDPOINT_URL_S3: 'http://other',
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
  }
  const script = [...lines, ...show].join('\n')
  return execFileSync('sh', ['-c', script], { env, encoding: 'utf8' }).trimEnd().split('\n')
}

test('by endpoint, clients are told where the gate is', () => {
  const names = ['AWS_ENDPOINT_URL', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']
  const shown = evaluated(shellLines(endpointEnvironment(KEYS)), names)
  expect(shown).toEqual([KEYS.endpoint, 'a/b+c', 'unset'])
})

test('an endpoint of one service, which would win, goes with what would make clients ignore the gate', () => {
  const names = ['AWS_ENDPOINT_URL_S3', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']
  const lines = shellLines(endpointEnvironment(KEYS))
  expect(evaluated(lines, names)).toEqual(['unset', 'unset'])
  expect(evaluated(['set -eu', ...lines], ['AWS_ENDPOINT_URL'])).toEqual([KEYS.endpoint])
})

test('by CONNECT, clients are told a proxy and a CA, and nothing leads past them', () => {
  const names = ['HTTPS_PROXY', 'AWS_CA_BUNDLE', 'AWS_ENDPOINT_URL', 'https_proxy', 'NO_PROXY']
  const shown = evaluated(shellLines(connectEnvironment(KEYS, '/state/ca.pem')), names)
  expect(shown).toEqual([KEYS.endpoint, '/state/ca.pem', 'unset', 'unset', 'unset'])
})

test('a path is one word for the shell, whatever is in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seconder-env-'))
  const path = `${folder}/it's; touch ${folder}/x $(touch ${folder}/y) \`touch ${folder}/z\``
  const lines = shellLines(connectEnvironment(KEYS, path))
  expect(evaluated(lines, ['AWS_CA_BUNDLE'])).toEqual([path])
  for (const name of ['x', 'y', 'z']) expect(existsSync(join(folder, name))).toBe(false)
})

test("the gate's own file is used where it can be read, else a copy is made", () => {
  const folder = mkdtempSync(join(tmpdir(), 'seconder-env-'))
  const facts = { gate: 'ab'.repeat(32), caFile: join(folder, 'ca.pem'), caCertificate: 'PEM\n' }
  const copy = join(folder, 'new', 'copy.pem')
  expect(caFileOf(facts, copy)).toBe(copy)
  expect(readFileSync(copy, 'utf8')).toBe('PEM\n')
  writeFileSync(facts.caFile, 'PEM\n')
  expect(caFileOf(facts)).toBe(facts.caFile)
})

test('a copy that cannot be written is a failure that names the way out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seconder-env-'))
  writeFileSync(join(folder, 'file'), '')
  const facts = { gate: 'ab'.repeat(32), caFile: join(folder, 'none.pem'), caCertificate: 'PEM\n' }
  expect(() => caFileOf(facts, join(folder, 'file', 'copy.pem'))).toThrow(
    expect.objectContaining({ code: 'ca_not_written', help: expect.stringContaining('--ca-file') }),
  )
})
