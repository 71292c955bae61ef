// Makes the gate's private CA, once per gate, and from it short-lived leaf certificates for hosts of
// the endpoint table. The CA's key never leaves its file, which only the gate's user can read, and
// its certificate permits names of AWS alone.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { dnsSuffixes, hostRow } from '@seconder/aws/endpoints/host-row'
import { GatewayError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { NAME_CONSTRAINTS_OID, nameConstraints } from './name-constraints.ts'

const DAY_MS = 24 * 60 * 60_000
/** Clocks of clients may be behind by this much. */
const BACKDATED_MS = 5 * 60_000
/** How long the CA lives. A gate that starts within the last month of it makes another. */
export const CA_LIFETIME_MS = 730 * DAY_MS
const CA_RENEWED_MS = 30 * DAY_MS
export const LEAF_LIFETIME_MS = DAY_MS
/** A leaf is made anew when less than this is left of it. */
const LEAF_RENEWED_MS = 60 * 60_000
/** Leaves kept in memory; the one that was longest not asked for goes first. */
export const LEAVES_MAX = 500

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export interface Authority {
  /** Absolute path of the certificate in PEM, for AWS_CA_BUNDLE. */
  readonly caFile: string
  readonly caCertificate: string
  /**
   * Returns what a TLS server needs to be this host, with its certificate of at most a day.
   * Errors: `wrong_host` for a name outside the endpoint table.
   */
  contextFor(host: string): Promise<SecureContext>
}

interface Signer {
  readonly certificate: X509Certificate
  readonly key: webcrypto.CryptoKey
}

/**
 * Opens the CA in a folder of the gate's own, or makes it: `ca.key` (key and certificate, mode 0600)
 * and beside it `ca.pem`, the certificate alone. Errors: `state_error` when the key could be read by
 * others, or the file cannot be used.
 */
export async function openAuthority(directory: string, clock: Clock): Promise<Authority> {
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const keyFile = join(directory, 'ca.key')
  const caFile = join(directory, 'ca.pem')
  const found = existsSync(keyFile) ? await readSigner(keyFile) : undefined
  const nowMs = clock.nowMs()
  const signer = found && isCurrent(found, nowMs) ? found : await makeSigner(keyFile, nowMs)
  const caCertificate = `${signer.certificate.toString('pem')}\n`
  // The key file is the one truth: a crash between the two files ends here, at the next start.
  writeWhole(caFile, caCertificate, 0o644)
  const leaves = new Leaves(signer, clock)
  return { caFile, caCertificate, contextFor: (host) => leaves.contextFor(host) }
}

interface Leaf {
  readonly context: Promise<SecureContext>
  readonly renewedAtMs: number
}

class Leaves {
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #leaves = new Map<string, Leaf>()
  #subject: Promise<Subject> | undefined

  constructor(signer: Signer, clock: Clock) {
    this.#signer = signer
    this.#clock = clock
  }

  contextFor(host: string): Promise<SecureContext> {
    if (hostRow(host) === undefined) {
      const words = 'no certificate is made for a host outside the endpoint table'
      return Promise.reject(new GatewayError('wrong_host', words, 'ask for a host of AWS'))
    }
    const nowMs = this.#clock.nowMs()
    const known = this.#leaves.get(host)
    const leaf =
      known && known.renewedAtMs > nowMs
        ? known
        : {
            context: this.#make(host, nowMs),
            renewedAtMs: nowMs + LEAF_LIFETIME_MS - LEAF_RENEWED_MS,
          }
    // A Map keeps the order of insertion: what is asked for moves to its end.
    this.#leaves.delete(host)
    this.#leaves.set(host, leaf)
    leaf.context.catch(() => this.#leaves.delete(host))
    for (const oldest of this.#leaves.keys()) {
      if (this.#leaves.size <= LEAVES_MAX) break
      this.#leaves.delete(oldest)
    }
    return leaf.context
  }

  async #make(host: string, nowMs: number): Promise<SecureContext> {
    // One key for all leaves of this process: it is in memory only and ends with it.
    this.#subject ??= leafSubject(this.#signer)
    const subject = await this.#subject
    const certificate = await leafCertificate(this.#signer, subject, host, nowMs)
    return createSecureContext({
      cert: certificate.toString('pem'),
      key: subject.privateKeyPem,
      minVersion: 'TLSv1.2',
    })
  }
}

/** What all leaves of one process have in common. */
interface Subject {
  readonly publicKey: webcrypto.CryptoKey
  readonly privateKeyPem: string
  readonly extensions: readonly Extension[]
}

/** Source: RFC 5280 section 4.2.1, the extensions of an end entity that is a TLS server. */
async function leafSubject({ certificate }: Signer): Promise<Subject> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify'])
  return {
    publicKey: keys.publicKey,
    privateKeyPem: await privateKeyPem(keys.privateKey),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      await AuthorityKeyIdentifierExtension.create(certificate.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  }
}

function leafCertificate(
  { certificate, key }: Signer,
  { publicKey, extensions }: Subject,
  host: string,
  nowMs: number,
): Promise<X509Certificate> {
  const expiresMs = Math.min(nowMs + LEAF_LIFETIME_MS, certificate.notAfter.getTime())
  return X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // The host stands in the alternative name only: a common name holds at most 64 characters.
    subject: 'CN=Seconder CONNECT mode',
    issuer: certificate.subject,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(expiresMs),
    publicKey,
    signingKey: key,
    signingAlgorithm: ECDSA,
    extensions: [
      ...extensions,
      new SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
    ],
  })
}

/** Source: RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.10, the extensions of a CA. */
async function makeSigner(keyFile: string, nowMs: number): Promise<Signer> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Seconder CONNECT mode CA ${randomBytes(4).toString('hex')}`,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + CA_LIFETIME_MS),
    keys,
    signingAlgorithm: ECDSA,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      // Names of mail and code are not constrained by DNS suffixes; this says that it signs neither.
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new Extension(NAME_CONSTRAINTS_OID, true, nameConstraints(dnsSuffixes())),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const text = `${await privateKeyPem(keys.privateKey)}${certificate.toString('pem')}\n`
  writeWhole(keyFile, text, 0o600)
  return { certificate, key: keys.privateKey }
}

async function readSigner(keyFile: string): Promise<Signer> {
  const { mode, uid } = statSync(keyFile)
  const own = process.getuid === undefined || uid === process.getuid()
  if (process.platform !== 'win32' && (!own || (mode & 0o077) !== 0)) {
    throw unusable(keyFile, 'may have been read by others than the gate')
  }
  try {
    const [key = '', certificate = ''] = readFileSync(keyFile, 'ascii').split(/(?=-----BEGIN CERT)/)
    const der = Buffer.from(key.replace(/-----[^\n]*\n?|\s/g, ''), 'base64')
    const signer = {
      certificate: new X509Certificate(certificate),
      key: await webcrypto.subtle.importKey('pkcs8', der, ECDSA, false, ['sign']),
    }
    await requirePair(signer)
    return signer
  } catch (cause) {
    throw unusable(keyFile, 'does not hold a key and its certificate', cause)
  }
}

/** A CA that ends soon, or whose names are not those of this build's endpoint table, is replaced. */
function isCurrent({ certificate }: Signer, nowMs: number): boolean {
  const constraints = certificate.getExtension(NAME_CONSTRAINTS_OID)
  const wanted = Buffer.from(nameConstraints(dnsSuffixes()))
  const same = constraints?.critical === true && wanted.equals(Buffer.from(constraints.value))
  return same && certificate.notAfter.getTime() - CA_RENEWED_MS > nowMs
}

async function requirePair({ certificate, key }: Signer): Promise<void> {
  const probe = randomBytes(32)
  const signature = await webcrypto.subtle.sign(ECDSA, key, probe)
  const publicKey = await certificate.publicKey.export(ECDSA, ['verify'])
  if (!(await webcrypto.subtle.verify(ECDSA, publicKey, signature, probe))) {
    throw new Error('the key is not that of the certificate')
  }
}

function unusable(keyFile: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'state_error',
    `the key of CONNECT mode in \`${keyFile}\` ${why}`,
    'delete the file: the next start makes a new one, and agents get its certificate with it',
    { cause },
  )
}

/** A reader sees the old file or the new one, whole. */
function writeWhole(path: string, text: string, mode: number): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(draft, text, { mode, flag: 'wx', flush: true })
    chmodSync(draft, mode) // the process's umask may have taken the readers of the certificate away
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  const lines = der.match(/.{1,64}/g) ?? []
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
}

/** A positive number of 16 random bytes. Source: RFC 5280 section 4.1.2.2. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}
