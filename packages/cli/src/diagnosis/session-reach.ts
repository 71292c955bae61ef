// Tries the wall from where an agent stands (red team C2): reads and changes of the gate's places, other
// credentials in its surroundings, ways round the endpoint, the metadata service. It opens and closes files
// and writes none; it sends one request, to the metadata service alone.
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Place } from '@seconder/gateway/wall/places'
import type { Standing } from '@seconder/gateway/wall/standing'
import { broken, type Finding, ok, warning } from './finding.ts'

export interface Surroundings {
  readonly environ: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly uid: number | null
  /** Addresses of the gate's AWS listener. */
  readonly endpoint: string
  /** True where somebody answers at the metadata service. */
  readonly metadataAnswers: () => Promise<boolean>
}

/** What a session is told of the gate. */
export type SeenStanding = Pick<Standing, 'user' | 'places'>

/** What must not be reached, each thing tried. */
export function wallFindings(standing: SeenStanding, surroundings: Surroundings): Finding[] {
  return [
    userFinding(standing, surroundings),
    ...placeFindings(standing, surroundings),
    memoryFinding(standing.user.pid),
  ]
}

/** What this shell has at hand besides the keys of its session. */
export async function surroundingFindings(surroundings: Surroundings): Promise<Finding[]> {
  return [
    ...endpointFindings(surroundings),
    ...credentialFindings(surroundings),
    (await surroundings.metadataAnswers())
      ? broken(
          'metadata',
          'the instance metadata service answers here',
          'block 169.254.169.254 for this user, or set hop limit 1',
        )
      : ok('metadata', 'no instance metadata service answers'),
  ]
}

function userFinding({ user }: SeenStanding, { uid }: Surroundings): Finding {
  if (uid === 0)
    return broken('user', 'this session runs as root', 'run the agent as a user of its own')
  if (uid !== null && uid === user.uid) {
    return broken(
      'user',
      `this session runs as the gate's own user ${user.name}`,
      'run the agent as another user',
    )
  }
  return ok('user', `uid ${uid ?? 'unknown'}, not the gate's`)
}

/** Each place tried for real; places that fare alike are one finding. */
function placeFindings({ places, user }: SeenStanding, { uid }: Surroundings): Finding[] {
  const isNear = uid === 0 || uid === user.uid
  return [...new Set(places.map(({ what }) => what))].map((what) => {
    const own = places.filter((place) => place.what === what)
    const fault = own.flatMap((place) => faultOf(place) ?? [])[0]
    if (fault === undefined) return ok('wall', `cannot reach ${what}`)
    const bits = `chmod ${fault.can === 'read' ? 'go-rwx' : 'go-w'} ${fault.at}`
    // No mode bits keep a user from what is its own.
    const next = isNear ? 'run the agent as another user' : bits
    return broken('wall', `this session can ${fault.can} ${what}: ${fault.at}`, next)
  })
}

function faultOf({ path, rule }: Place): { can: 'read' | 'change'; at: string } | null {
  if (rule === 'secret' && opens(path)) return { can: 'read', at: path }
  if (may(path, constants.W_OK)) return { can: 'change', at: path }
  const parent = dirname(path)
  if (may(parent, constants.W_OK | constants.X_OK) && !isSticky(parent))
    return { can: 'change', at: parent }
  return null
}

function opens(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'))
    return true
  } catch {
    return false
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** Things in a sticky folder are their owners'; what is missing in one the gate's start looks for. */
function isSticky(path: string): boolean {
  return path === '/tmp' || path === '/var/tmp' || path === '/dev/shm'
}

function memoryFinding(pid: number): Finding {
  return opens(`/proc/${pid}/environ`)
    ? broken('wall', "this session can read the gate's process", 'run the agent as another user')
    : ok('wall', "cannot read the gate's process")
}

function endpointFindings({ environ, endpoint }: Surroundings): Finding[] {
  const isGate = (url: string | undefined) => url?.replace(/\/$/, '') === endpoint
  const findings: Finding[] = []
  if (isGate(environ['AWS_ENDPOINT_URL']))
    findings.push(ok('endpoint', `AWS_ENDPOINT_URL is the gate, ${endpoint}`))
  else if (isGate(environ['HTTPS_PROXY']))
    findings.push(ok('endpoint', `HTTPS_PROXY is the gate, ${endpoint}`))
  else {
    const open = 'eval "$(seconder session open --ssh-key KEY)"'
    findings.push(broken('endpoint', 'neither AWS_ENDPOINT_URL nor HTTPS_PROXY is the gate', open))
  }
  if (environ['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true') {
    const next = 'unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'
    findings.push(
      broken('endpoint', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS leads past the gate', next),
    )
  }
  for (const [name, value] of Object.entries(environ)) {
    if (/^AWS_ENDPOINT_URL_./.test(name) && !isGate(value)) {
      findings.push(broken('endpoint', `${name} leads past the gate`, `unset ${name}`))
    }
  }
  return findings
}

/** Variables that give other credentials. Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html */
const OTHER_CREDENTIALS = [
  ...['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ...['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'],
  ...['AWS_CONTAINER_AUTHORIZATION_TOKEN', 'AWS_BEARER_TOKEN_BEDROCK'],
]

function credentialFindings({ environ, home }: Surroundings): Finding[] {
  const findings: Finding[] = []
  const key = environ['AWS_ACCESS_KEY_ID']
  if (key === undefined)
    findings.push(warning('keys', 'AWS_ACCESS_KEY_ID is not set', 'open a session in this shell'))
  else if (/^A[KS]IASECONDER[A-Z2-7]{8}$/.test(key))
    findings.push(ok('keys', 'the keys of a session of a gate'))
  else
    findings.push(
      broken('keys', "AWS_ACCESS_KEY_ID is none of the gate's", 'unset it and open a session'),
    )
  for (const name of OTHER_CREDENTIALS) {
    if (environ[name])
      findings.push(broken('keys', `${name} leads to other credentials`, `unset ${name}`))
  }
  const found = filesWithCredentials(environ, home)
  for (const path of found) {
    findings.push(
      broken(
        'keys',
        `this session can read other credentials: ${path}`,
        'give the agent a home of its own',
      ),
    )
  }
  if (found.length === 0)
    findings.push(ok('keys', 'no other credentials in files that clients read'))
  if (environ['SSH_AUTH_SOCK']) {
    findings.push(
      warning(
        'signing',
        'an ssh-agent is in reach: an agent could sign as its operator',
        'unset SSH_AUTH_SOCK; use keys that ask for a touch',
      ),
    )
  }
  return findings
}

function filesWithCredentials(environ: Surroundings['environ'], home: string): string[] {
  const folder = join(home, '.aws')
  const shared = environ['AWS_SHARED_CREDENTIALS_FILE'] ?? join(folder, 'credentials')
  const config = environ['AWS_CONFIG_FILE'] ?? join(folder, 'config')
  const caches = ['sso/cache', 'cli/cache', 'login/cache'].flatMap((name) =>
    jsonIn(join(folder, name)),
  )
  return [...[shared, config].filter(givesCredentials), ...caches.filter(opens)]
}

/** Keys, or a way to get some; a file of the gate's own keys alone gives none. */
function givesCredentials(path: string): boolean {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return false // none there, or shut
  }
  const ways =
    /^\s*(credential_process|sso_start_url|sso_session|web_identity_token_file|credential_source)\s*=/m
  const keys = [...text.matchAll(/^\s*aws_access_key_id\s*=\s*(\S+)/gm)].map(([, key = '']) => key)
  return ways.test(text) || keys.some((key) => !/^A[KS]IASECONDER/.test(key))
}

function jsonIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name))
  } catch {
    return [] // shut: then nothing in it is in reach
  }
}
