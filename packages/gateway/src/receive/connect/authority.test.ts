import 'reflect-metadata'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import * as x509 from '@peculiar/x509'
import { expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { CA_LIFETIME_MS, LEAF_LIFETIME_MS, LEAVES_MAX, openAuthority } from './authority.ts'

const TABLES = 'dynamodb.eu-west-1.amazonaws.com'
const CHINA = 'orders.s3.cn-north-1.amazonaws.com.cn'
const GOVCLOUD = 'iam.us-gov.amazonaws.com'
const ACCOUNT = '123456789012.s3-control.eu-west-1.amazonaws.com'
const DUAL_STACK = 'datazone.eu-west-1.api.aws'
const LONG = `${'b'.repeat(63)}.s3.ap-southeast-1.amazonaws.com`

function folder(): string {
  return join(mkdtempSync(join(tmpdir(), 'seconder-ca-')), 'connect')
}

interface Seen {
  readonly certificate: X509Certificate
  readonly error: string | null
}

/** What a client that trusts `ca` alone makes of a server with this context. */
async function seenBy(ca: string, host: string, context: tls.TlsOptions): Promise<Seen> {
  const server = tls.createServer(context, (socket) => socket.end())
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const client = tls.connect({
    socket: connectTcp(port, '127.0.0.1'),
    ca,
    servername: host,
    rejectUnauthorized: false,
  })
  await new Promise((resolve, reject) => {
    client.once('secureConnect', resolve)
    client.once('error', reject)
  })
  const raw = client.getPeerX509Certificate()?.raw ?? Buffer.alloc(0)
  const error = client.authorized ? null : String(client.authorizationError)
  client.destroy()
  server.close()
  return { certificate: new X509Certificate(raw), error }
}

async function seenByAuthority(directory: string, host: string): Promise<Seen> {
  const authority = await openAuthority(directory, systemClock())
  const context = await authority.contextFor(host)
  const options = { SNICallback: (_: string, done: SniDone) => done(null, context) }
  return seenBy(authority.caCertificate, host, options)
}

type SniDone = (error: Error | null, context?: tls.SecureContext) => void

test('a client that trusts the CA accepts leaves for every partition, S3 and account labels', async () => {
  const directory = folder()
  for (const host of [TABLES, CHINA, GOVCLOUD, ACCOUNT, DUAL_STACK, LONG]) {
    const { certificate, error } = await seenByAuthority(directory, host)
    expect(error, host).toBeNull()
    expect(certificate.subjectAltName).toBe(`DNS:${host}`)
    expect(certificate.checkHost('example.com')).toBeUndefined()
  }
})

test('M9: no leaf is made for a host outside the endpoint table', async () => {
  const authority = await openAuthority(folder(), systemClock())
  for (const host of ['example.com', 'x.execute-api.eu-west-1.amazonaws.com', '127.0.0.1', '']) {
    const refused = expect.objectContaining({ code: 'wrong_host' })
    await expect(authority.contextFor(host)).rejects.toEqual(refused)
  }
})

/** A leaf that somebody signed with the CA's stolen key. */
async function forged(directory: string, names: readonly x509.JsonGeneralName[]) {
  const authority = await openAuthority(directory, systemClock())
  const der = createPrivateKey(readFileSync(join(directory, 'ca.key'), 'ascii')).export({
    type: 'pkcs8',
    format: 'der',
  })
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const signingKey = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: 'CN=forged',
    issuer: new x509.X509Certificate(authority.caCertificate).subject,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 60_000),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.SubjectAlternativeNameExtension([...names]),
    ],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    ca: authority.caCertificate,
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  }
}

test('M9: the name constraints hold even for whoever has the key', async () => {
  const directory = folder()
  const leaf = async (host: string, ...names: x509.JsonGeneralName[]) => {
    const { ca, cert, key } = await forged(directory, [{ type: 'dns', value: host }, ...names])
    return (await seenBy(ca, host, { cert, key })).error
  }
  expect(await leaf(TABLES)).toBeNull()
  for (const host of ['example.com', 'evilamazonaws.com', 'amazonaws.com.evil.example']) {
    expect(await leaf(host), host).not.toBeNull()
  }
  for (const value of ['127.0.0.1', '::1', '198.51.100.7']) {
    expect(await leaf(TABLES, { type: 'ip', value }), value).not.toBeNull()
  }
})

test('a leaf cannot sign further certificates', async () => {
  const { certificate } = await seenByAuthority(folder(), TABLES)
  expect(certificate.ca).toBe(false)
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

test.skipIf(!hasOpenssl)('openssl accepts chain, name and purpose, strictly', async () => {
  const directory = folder()
  const { certificate } = await seenByAuthority(directory, CHINA)
  const leaf = join(directory, 'leaf.pem')
  writeFileSync(leaf, certificate.toString())
  const verify = (host: string) =>
    spawnSync('openssl', [
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', host],
      ...['-CAfile', join(directory, 'ca.pem'), leaf],
    ])
  expect(verify(CHINA).stdout.toString()).toContain('OK')
  expect(verify(TABLES).status).not.toBe(0)
  const { cert } = await forged(directory, [{ type: 'dns', value: 'example.com' }])
  writeFileSync(leaf, cert)
  expect(verify('example.com').stderr.toString()).toContain('permitted subtree violation')
  const shown = spawnSync('openssl', ['x509', '-in', join(directory, 'ca.pem'), '-noout', '-text'])
  const text = shown.stdout.toString()
  expect(text).toMatch(/Name Constraints: critical\s+Permitted:\s+DNS:amazonaws.com\s/)
  expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
  expect(text).toMatch(/Key Usage: critical\s+Certificate Sign\s/)
})

test('the key is for the gate alone, the certificate for everybody', async () => {
  const directory = folder()
  const { caFile } = await openAuthority(directory, systemClock())
  expect(readdirSync(directory).sort()).toEqual(['ca.key', 'ca.pem'])
  expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600)
  expect(statSync(caFile).mode & 0o777).toBe(0o644)
  expect(readFileSync(caFile, 'ascii')).not.toContain('PRIVATE KEY')
})

test('a key that others could read is refused', async () => {
  const directory = folder()
  await openAuthority(directory, systemClock())
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(join(directory, 'ca.key'), mode)
    const refused = expect.objectContaining({ code: 'state_error' })
    await expect(openAuthority(directory, systemClock())).rejects.toEqual(refused)
  }
})

test('one gate keeps one CA over restarts, and two gates have two', async () => {
  const directory = folder()
  const first = await openAuthority(directory, systemClock())
  writeFileSync(first.caFile, 'torn')
  const second = await openAuthority(directory, systemClock())
  expect(second.caCertificate).toBe(first.caCertificate)
  expect(readFileSync(second.caFile, 'ascii')).toBe(first.caCertificate)
  const other = await openAuthority(folder(), systemClock())
  expect(other.caCertificate).not.toBe(first.caCertificate)
})

test('a key file that is broken or holds another certificate is refused', async () => {
  const directory = folder()
  const keyFile = join(directory, 'ca.key')
  const { caCertificate } = await openAuthority(directory, systemClock())
  await openAuthority(`${directory}-other`, systemClock())
  const [otherKey = ''] = readFileSync(join(`${directory}-other`, 'ca.key'), 'ascii').split(
    /(?=-----BEGIN CERT)/,
  )
  for (const text of ['', 'nothing', `${otherKey}${caCertificate}`]) {
    writeFileSync(keyFile, text)
    const refused = expect.objectContaining({ code: 'state_error' })
    await expect(openAuthority(directory, systemClock())).rejects.toEqual(refused)
  }
})

test('a CA in the last month of its life, or with other names, is made anew', async () => {
  const directory = folder()
  const startMs = Date.now()
  const at = (nowMs: number) => openAuthority(directory, { nowMs: () => nowMs })
  const first = await at(startMs)
  const month = 30 * 24 * 60 * 60_000
  const same = await at(startMs + CA_LIFETIME_MS - month - 60_000)
  expect(same.caCertificate).toBe(first.caCertificate)
  const next = await at(startMs + CA_LIFETIME_MS - month + 60_000)
  expect(next.caCertificate).not.toBe(first.caCertificate)
  const keyFile = join(directory, 'ca.key')
  const { cert, key } = await unconstrained()
  writeFileSync(keyFile, `${key}${cert}\n`)
  expect((await at(startMs)).caCertificate).not.toContain(cert)
})

async function unconstrained(): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=any',
    notAfter: new Date(Date.now() + CA_LIFETIME_MS),
    keys,
    signingAlgorithm: algorithm,
  })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  }
}

test('a leaf lives a day, is backdated five minutes, and is replaced before it ends', async () => {
  let nowMs = Math.floor(Date.now() / 1000) * 1000
  const authority = await openAuthority(folder(), { nowMs: () => nowMs })
  const first = await authority.contextFor(TABLES)
  const options = { SNICallback: (_: string, done: SniDone) => done(null, first) }
  const { certificate } = await seenBy(authority.caCertificate, TABLES, options)
  expect(Date.parse(certificate.validFrom)).toBe(nowMs - 5 * 60_000)
  expect(Date.parse(certificate.validTo)).toBe(nowMs + LEAF_LIFETIME_MS)
  nowMs += LEAF_LIFETIME_MS - 60 * 60_000 - 1
  expect(await authority.contextFor(TABLES)).toBe(first)
  nowMs += 1
  expect(await authority.contextFor(TABLES)).not.toBe(first)
})

test('at most LEAVES_MAX leaves are kept, and the least asked for goes first', async () => {
  const authority = await openAuthority(folder(), systemClock())
  const host = (index: number) => `bucket-${index}.s3.eu-west-1.amazonaws.com`
  const first = await authority.contextFor(host(0))
  const second = await authority.contextFor(host(1))
  for (let index = 2; index < LEAVES_MAX; index++) await authority.contextFor(host(index))
  expect(await authority.contextFor(host(0))).toBe(first)
  await authority.contextFor(host(LEAVES_MAX))
  expect(await authority.contextFor(host(0))).toBe(first)
  expect(await authority.contextFor(host(1))).not.toBe(second)
})
