// The gate's own identity from a web identity token: a file that Kubernetes or a CI system rewrites, read
// anew for every session of STS.
import { readFile } from 'node:fs/promises'
import { Secret } from '../../lib/secret.ts'
import { assumeRoleWithWebIdentity, type Sts } from '../assume-role.ts'
import { type Lent, unavailable } from './credential-source.ts'
import { refusedBySts } from './sts-words.ts'

/** Source: STS API, AssumeRoleWithWebIdentity, WebIdentityToken: 4 to 20,000 characters. */
export const TOKEN_CHARS_MAX = 20_000

export interface WebIdentity {
  readonly tokenFile: string
  readonly roleArn: string
  readonly sessionName: string
}

/** Errors: `credentials_unavailable`. */
export async function lentByWebIdentity(identity: WebIdentity, sts: Sts): Promise<Lent> {
  const token = await readToken(identity.tokenFile)
  const { roleArn, sessionName } = identity
  try {
    return await assumeRoleWithWebIdentity(sts, { roleArn, sessionName, token })
  } catch (cause) {
    throw refusedBySts(cause, roleArn)
  }
}

async function readToken(path: string): Promise<Secret> {
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw unavailable(`the web identity token file \`${path}\` cannot be read`, { cause })
  }
  if (text.length < 4 || text.length > TOKEN_CHARS_MAX || /[^\x21-\x7e]/.test(text)) {
    throw unavailable(`the web identity token file \`${path}\` holds no token`)
  }
  return new Secret(text)
}
