// The gate's own identity from a profile of the files that AWS tools share. Access keys, `role_arn` with
// `source_profile` or with `web_identity_token_file`; what runs a program, opens a browser or asks for a
// code is refused by its name.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
import { Secret } from '../../lib/secret.ts'
import { assumeOwnRole, type Sts } from '../assume-role.ts'
import { type Lent, unavailable } from './credential-source.ts'
import { type Profiles, readProfiles, type Settings } from './shared-files.ts'
import { refusedBySts } from './sts-words.ts'
import { lentByWebIdentity } from './web-identity.ts'

/** Profiles from the named one to the one with keys. */
export const PROFILE_CHAIN_MAX = 5

/** Settings that say where credentials come from, and that the gate does not follow. */
const NOT_FOLLOWED = [
  'credential_process',
  'credential_source',
  'login_session',
  'mfa_serial',
  'sso_account_id',
  'sso_session',
  'sso_start_url',
]

export interface ProfileFiles {
  readonly credentialsFile: string
  readonly configFile: string
}

/** Errors: `credentials_unavailable`, naming the profile and the setting, never a value. */
export async function lentByProfile(
  name: string,
  files: ProfileFiles,
  sessionName: string,
  sts: Sts,
): Promise<Lent> {
  const credentials = await readProfiles(files.credentialsFile, 'credentials')
  const config = await readProfiles(files.configFile, 'config')
  return lentBy(name, { credentials, config, sessionName, sts, seen: [] })
}

interface Chain {
  readonly credentials: Profiles
  readonly config: Profiles
  readonly sessionName: string
  readonly sts: Sts
  /** Profiles on the way to this one. */
  readonly seen: readonly string[]
}

async function lentBy(name: string, chain: Chain): Promise<Lent> {
  const settings = settingsOf(name, chain)
  for (const setting of NOT_FOLLOWED) {
    if (settings.has(setting))
      throw unavailable(`profile \`${name}\` uses \`${setting}\`, which the gate does not follow`)
  }
  const roleArn = settings.get('role_arn')
  if (roleArn === undefined) return keysOf(name, settings)
  const sessionName = settings.get('role_session_name') ?? chain.sessionName
  const tokenFile = settings.get('web_identity_token_file')
  if (tokenFile !== undefined) {
    return lentByWebIdentity({ tokenFile, roleArn, sessionName }, chain.sts)
  }
  const from = settings.get('source_profile')
  if (from === undefined) throw unavailable(`profile \`${name}\` has a role and no source_profile`)
  // A profile may name itself: its own keys lend its own role.
  const own =
    from === name
      ? keysOf(name, settings)
      : await lentBy(from, { ...chain, seen: [...chain.seen, name] })
  const externalId = settings.get('external_id') ?? null
  try {
    return await assumeOwnRole(chain.sts, own.credentials, { roleArn, sessionName, externalId })
  } catch (cause) {
    throw refusedBySts(cause, roleArn)
  }
}

function settingsOf(name: string, { credentials, config, seen }: Chain): Settings {
  if (seen.includes(name) || seen.length >= PROFILE_CHAIN_MAX)
    throw unavailable(`the source_profile of \`${seen.at(-1) ?? name}\` goes round or too far`)
  const inConfig = config.get(name)
  const inCredentials = credentials.get(name)
  if (!inConfig && !inCredentials) throw unavailable(`there is no profile \`${name}\``)
  return new Map([...(inConfig ?? []), ...(inCredentials ?? [])])
}

function keysOf(name: string, settings: Settings): Lent {
  const accessKeyId = settings.get('aws_access_key_id')
  const secretAccessKey = settings.get('aws_secret_access_key')
  const sessionToken = settings.get('aws_session_token')
  if (!accessKeyId || !secretAccessKey) throw unavailable(`profile \`${name}\` has no access key`)
  return {
    credentials: {
      accessKeyId,
      secretAccessKey: new Secret(secretAccessKey),
      sessionToken: sessionToken ? new Secret(sessionToken) : null,
    },
    expiresAtMs: null,
  }
}
