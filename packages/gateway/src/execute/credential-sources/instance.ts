// The gate's own identity from the instance role: the metadata service of EC2, version 2 alone. Version 1
// answers whoever can make the host send a GET, so there is no falling back to it.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
// and https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html
import http from 'node:http'
import { z } from 'zod'
import { Secret } from '../../lib/secret.ts'
import { type Lent, unavailable } from './credential-source.ts'

export const METADATA_URL = 'http://169.254.169.254'
export const METADATA_BYTES_MAX = 16 * 1024
/** The service is on the same host; what takes longer is not there. */
const TIMEOUT_MS = 1_000
const TOKEN_SECONDS = '60'
const ROLES = '/latest/meta-data/iam/security-credentials/'

const CREDENTIALS = z.object({
  Code: z.literal('Success'),
  AccessKeyId: z.string().min(16).max(128),
  SecretAccessKey: z.string().min(1).max(1_024),
  Token: z.string().min(1).max(8_192),
  Expiration: z.iso.datetime(),
})

/** Errors: `credentials_unavailable`. */
export async function lentByInstance(baseUrl: string = METADATA_URL): Promise<Lent> {
  const token = new Secret(
    await ask(baseUrl, 'PUT', '/latest/api/token', {
      'x-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS,
    }),
  )
  const headers = { 'x-aws-ec2-metadata-token': token.reveal() }
  const role = (await ask(baseUrl, 'GET', ROLES, headers)).trim()
  if (!/^[\w+=,.@-]{1,64}$/.test(role)) throw unavailable('this instance has no role')
  const text = await ask(baseUrl, 'GET', `${ROLES}${role}`, headers)
  const parsed = CREDENTIALS.safeParse(json(text))
  if (!parsed.success) throw unavailable('the metadata service answered no credentials')
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = parsed.data
  return {
    credentials: {
      accessKeyId: AccessKeyId,
      secretAccessKey: new Secret(SecretAccessKey),
      sessionToken: new Secret(Token),
    },
    expiresAtMs: Date.parse(Expiration),
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    // The text would hold the key; the cause says where it broke and may quote it, so it is left out.
    if (cause instanceof SyntaxError) return null
    throw cause
  }
}

function ask(
  baseUrl: string,
  method: 'GET' | 'PUT',
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(unavailable('the metadata service of the instance did not answer'))
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const outgoing = http.request(new URL(path, baseUrl), { method, headers, signal })
    outgoing.on('error', failed)
    outgoing.on('response', (answer) => {
      const chunks: Buffer[] = []
      let bytes = 0
      answer.on('error', failed)
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength
        if (bytes <= METADATA_BYTES_MAX) {
          chunks.push(chunk)
          return
        }
        failed()
        answer.destroy()
      })
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'))
        else reject(unavailable(`the metadata service answered ${answer.statusCode ?? 0}`))
      })
    })
    outgoing.end()
  })
}
