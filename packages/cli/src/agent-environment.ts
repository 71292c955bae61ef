// Makes the environment of an agent: the keys of its session and how to reach the gate with them,
// by endpoint URL or, for clients that ignore it, by proxy and CA. Prints nothing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { CommandFailure } from './failure.ts'
import type { GateFacts } from './gate-client.ts'
import type { AgentSession } from './opening.ts'

export interface AgentEnvironment {
  readonly exports: Readonly<Record<string, string>>
  /** Variables of an earlier life that would lead a client past the gate or to other keys. */
  readonly unset: readonly string[]
}

type Keys = Pick<AgentSession, 'accessKeyId' | 'secretAccessKey' | 'endpoint'>

/** For clients that read AWS_ENDPOINT_URL: AWS CLI from 2.13 (v1 from 1.29) and current SDKs. */
export function endpointEnvironment(keys: Keys): AgentEnvironment {
  return {
    exports: { AWS_ENDPOINT_URL: keys.endpoint, ...keyExports(keys) },
    unset: ['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'],
  }
}

/** For clients that know no endpoint: CONNECT mode. `caFile` is a file the agent can read. */
export function connectEnvironment(keys: Keys, caFile: string): AgentEnvironment {
  return {
    exports: { HTTPS_PROXY: keys.endpoint, AWS_CA_BUNDLE: caFile, ...keyExports(keys) },
    // Python takes `https_proxy` before HTTPS_PROXY, and NO_PROXY before both.
    // Source: https://docs.python.org/3/library/urllib.request.html#urllib.request.getproxies
    unset: [
      ...['AWS_ENDPOINT_URL', 'https_proxy', 'NO_PROXY', 'no_proxy'],
      ...['AWS_SESSION_TOKEN', 'AWS_PROFILE'],
    ],
  }
}

function keyExports({ accessKeyId, secretAccessKey }: Keys): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

/**
 * Returns the path of the gate's CA certificate: the gate's own file where it can be read here, else a
 * copy, at `copyTo` or in the home folder. Errors: CommandFailure `ca_not_written`.
 */
export function caFileOf(
  facts: Pick<GateFacts, 'gate' | 'caFile' | 'caCertificate'>,
  copyTo?: string,
): string {
  const path = copyTo && resolve(copyTo)
  if (path === undefined && contentOf(facts.caFile) === facts.caCertificate) return facts.caFile
  const name = `connect-${facts.gate.slice(0, 16)}.pem`
  const copy = path ?? join(homedir(), '.seconder', name)
  try {
    mkdirSync(dirname(copy), { recursive: true })
    writeFileSync(copy, facts.caCertificate)
  } catch {
    const help = 'name another file with --ca-file PATH'
    throw new CommandFailure('ca_not_written', `cannot write \`${copy}\``, help)
  }
  return copy
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'ascii')
  } catch {
    return null // the gate runs as another user or on another host: a copy is made
  }
}

/** The environment as lines for `eval` in a POSIX shell. */
export function shellLines({ exports, unset }: AgentEnvironment): string[] {
  const lines = Object.entries(exports).map(([name, value]) => `export ${name}=${quoted(value)}`)
  return [...lines, `unset ${unset.join(' ')}`, UNSET_SERVICE_ENDPOINTS]
}

// One for a service wins over AWS_ENDPOINT_URL, and would lead that service's calls past the gate.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
const UNSET_SERVICE_ENDPOINTS =
  "unset AWS_ENDPOINT_URL_ $(env | sed -n 's/^\\(AWS_ENDPOINT_URL_[A-Za-z0-9_]*\\)=.*/\\1/p')"

/** Single quotes where a shell would read more than the word. */
function quoted(value: string): string {
  return /^[\w./:+=@%-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}
