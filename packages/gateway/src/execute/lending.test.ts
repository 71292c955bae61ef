// From seconder.yaml to where credentials come from: what the file says, and what the gate says at start.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { assumesRoles, type Config, type Environ, loadConfig } from '../config.ts'
import { credentialNotices } from './lending.ts'

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAOWNOWNOWNOWNOWN1', AWS_SECRET_ACCESS_KEY: 'own/secret' }
const ROLES = '{ deploy: { arn: "arn:aws:iam::123456789012:role/agent-deploy" } }'
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-lending-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function configWith(aws: string, environ: Environ = KEYS, roles = ROLES): Config {
  const path = join(folder, 'seconder.yaml')
  writeFileSync(path, `upstream: { aws: { ${aws} } }\nroles: ${roles}\n`)
  return loadConfig(path, environ)
}

test('real AWS is reached under lent roles, an emulator is not, and the file may say otherwise', () => {
  expect(assumesRoles(configWith(''))).toBe(true)
  expect(assumesRoles(configWith('endpoint: "http://127.0.0.1:5000"'))).toBe(false)
  expect(assumesRoles(configWith('endpoint: "http://127.0.0.1:5000", assumeRole: true'))).toBe(true)
  expect(assumesRoles(configWith('assumeRole: false'))).toBe(false)
})

test('each source is named, with what its environment says about it', () => {
  const environ = { HOME: '/home/gate' }
  expect(configWith('credentials: instance', environ).upstream.credentials).toEqual({
    from: 'instance',
  })
  expect(configWith('credentials: "profile:prod"', environ).upstream.credentials).toEqual({
    from: 'profile',
    name: 'prod',
    credentialsFile: '/home/gate/.aws/credentials',
    configFile: '/home/gate/.aws/config',
  })
  const elsewhere = { ...environ, AWS_SHARED_CREDENTIALS_FILE: '/c', AWS_CONFIG_FILE: '/d' }
  expect(configWith('credentials: "profile:prod"', elsewhere).upstream.credentials).toMatchObject({
    credentialsFile: '/c',
    configFile: '/d',
  })
  const web = { AWS_WEB_IDENTITY_TOKEN_FILE: '/t', AWS_ROLE_ARN: 'arn:aws:iam::1:role/g' }
  expect(configWith('credentials: web-identity', web).upstream.credentials).toEqual({
    from: 'web-identity',
    tokenFile: '/t',
    roleArn: 'arn:aws:iam::1:role/g',
    sessionName: null,
  })
})

test.each([
  ['credentials: environment', {}, /AWS_ACCESS_KEY_ID/],
  ['credentials: web-identity', KEYS, /AWS_WEB_IDENTITY_TOKEN_FILE/],
  ['credentials: "profile:"', KEYS, /write environment, profile:NAME/],
  ['credentials: anything', KEYS, /write environment, profile:NAME/],
  ['region: nowhere', KEYS, /write a region/],
])('`%s` without what it needs is refused; no other source is tried', (aws, environ, words) => {
  expect(() => configWith(aws, environ)).toThrow(words)
})

test('the region of STS is that of the file, else of the environment, else none', () => {
  expect(
    configWith('region: eu-west-1', { ...KEYS, AWS_REGION: 'us-east-2' }).upstream.region,
  ).toBe('eu-west-1')
  expect(configWith('', { ...KEYS, AWS_DEFAULT_REGION: 'us-east-2' }).upstream.region).toBe(
    'us-east-2',
  )
  expect(configWith('').upstream.region).toBeUndefined()
})

test('the gate says at start that calls are not narrowed, or that no role is configured; else nothing', () => {
  expect(credentialNotices(configWith(''))).toEqual([])
  expect(credentialNotices(configWith('assumeRole: false')).join()).toMatch(/not narrowed/)
  expect(credentialNotices(configWith('', KEYS, '{}')).join()).toMatch(/no role is configured/)
  expect(credentialNotices(configWith('endpoint: "http://127.0.0.1:5000"'))).toEqual([])
})

test('no secret of the configuration is in its words', () => {
  const { credentials } = configWith('').upstream
  expect(JSON.stringify(credentials)).not.toContain('own/secret')
})
