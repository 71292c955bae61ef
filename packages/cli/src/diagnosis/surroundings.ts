// What doctor looks at on this machine: the configuration file, the clients that are installed, and whether
// somebody answers at the address of the metadata service.
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { loadConfig } from '@seconder/gateway/config'
import { loadPolicySet } from '@seconder/gateway/decide/policy-set'
import { readPolicies } from '@seconder/gateway/epoch/content'
import { placesOf } from '@seconder/gateway/wall/places'
import { ANYBODY, breaches, mending } from '@seconder/gateway/wall/reach'
import { broken, type Finding, ok, warning } from './finding.ts'

/** Where EC2 answers. Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
export const METADATA_URL = 'http://169.254.169.254/latest/meta-data/'
/** Milliseconds; on an instance it answers within a few. */
const METADATA_TIMEOUT_MS = 1_000
const CLIENT_TIMEOUT_MS = 10_000

/** True where anything answers, a refusal without a token too. */
export async function answersAt(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(METADATA_TIMEOUT_MS),
      redirect: 'manual',
    })
    await answer.body?.cancel()
    return true
  } catch {
    return false // nobody there, or not in time
  }
}

/** The file and the policies that it names, and who else on this host could change or read what it names. */
export async function configFindings(path: string): Promise<Finding[]> {
  const absent = { AWS_ACCESS_KEY_ID: 'not-used', AWS_SECRET_ACCESS_KEY: 'not-used' }
  try {
    const config = loadConfig(path, { ...absent, ...process.env })
    const set = await loadPolicySet(readPolicies(config.policiesDirectory))
    const all = breaches(placesOf(config), ANYBODY)
    const open = [...new Map(all.map((one) => [one.place.what, one])).values()]
    return [
      ok('config', `${path} and ${set.policies.size} policies load`),
      ...open.map((breach) =>
        broken(
          'wall',
          `any user of this host can ${breach.can} ${breach.place.what}: ${breach.at}`,
          mending(breach),
        ),
      ),
      ...(open.length === 0
        ? [ok('wall', 'no other user can reach what the gate stands on, by mode bits')]
        : []),
    ]
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    const help = 'help' in cause ? String(cause.help) : 'see README.md'
    return [broken('config', cause.message, help)]
  }
}

/** AWS CLI as it is found in the path; 2.13 and 1.29 are the first that read AWS_ENDPOINT_URL. */
export async function clientFindings(path: string | undefined): Promise<Finding[]> {
  const aws = (path ?? '')
    .split(':')
    .map((folder) => `${folder}/aws`)
    .find(isProgram)
  if (aws === undefined) return [ok('client', 'no AWS CLI in the path')]
  const version = await new Promise<string>((resolve) => {
    execFile(aws, ['--version'], { timeout: CLIENT_TIMEOUT_MS }, (_, out, err) =>
      resolve(`${out}${err}`),
    )
  })
  const [, major = '', minor = ''] = /aws-cli\/(\d+)\.(\d+)/.exec(version) ?? []
  if (major === '')
    return [warning('client', `${aws} does not say its version`, 'see docs/connect.md')]
  const reads = Number(major) > 2 || Number(minor) >= (major === '2' ? 13 : 29)
  const named = `AWS CLI ${major}.${minor} at ${aws}`
  if (reads) return [ok('client', `${named} reads AWS_ENDPOINT_URL`)]
  return [warning('client', `${named} ignores AWS_ENDPOINT_URL`, 'seconder session open --connect')]
}

function isProgram(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}
