// How the command reads at a gate: with a token that a person's signature got it, kept for half an hour in a file
// that only they can read; or, in an agent's shell, with a signature by the keys of its session.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { sign } from '@seconder/aws/sigv4/sign'
import { AGENT_SCOPE } from '@seconder/gateway/identify/agent-act'
import { parsePublicKey } from '@seconder/gateway/lib/ssh/public-key'
import { CommandFailure } from './failure.ts'
import { GateClient, type Reading } from './gate-client.ts'
import { type ReadToken, signIn } from './sign-in.ts'
import { keySigner } from './signing.ts'

/** A token is not used in its last moments. */
const SPARE_MS = 30_000

interface Kept extends Partial<ReadToken> {
  /** The key that signed last at this gate: the next time nobody has to name it. */
  readonly keyPath?: string
}

/** Reads as whoever's key is named, or was last, or lies in ~/.ssh and is known to the gate. */
class KeptReading implements Reading {
  readonly #named: string | undefined

  constructor(named: string | undefined) {
    this.#named = named
  }

  async headers(client: GateClient, isRefused: boolean) {
    const { gate } = await client.facts()
    const file = fileOf(gate)
    const kept = keptIn(file)
    const isFresh = Date.parse(kept.expiresAt ?? '') > Date.now() + SPARE_MS
    const isSame = this.#named === undefined || this.#named === kept.keyPath
    if (!isRefused && isFresh && isSame && kept.token !== undefined) return bearer(kept.token)
    const keyPath = await knownKey(client, this.#named, kept.keyPath)
    const token = await signIn<ReadToken>(client, keySigner(keyPath), 'cli')
    keep(file, { ...token, keyPath })
    return bearer(token.token)
  }
}

/** A client for a command: it reads as the person at this terminal, or as the agent's session in its shell. */
export function gateFor(options: { readonly gate?: string; readonly sshKey?: string }): GateClient {
  return new GateClient(options.gate, new KeptReading(options.sshKey))
}

export interface SessionKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** The keys of a session of Seconder in this environment; null where there are none, or others. */
export function sessionKeys(
  environ: Readonly<Record<string, string | undefined>>,
): SessionKeys | null {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey } = environ
  if (!/^A(KIA|SIA)SECONDER/.test(accessKeyId) || !secretAccessKey) return null
  const sessionToken = environ['AWS_SESSION_TOKEN']
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
}

/** How a request stands, asked by the session that it came from, under its own keys. */
export function statusForSession<T>(
  base: string,
  keys: SessionKeys,
  requestId: string,
  waitMs = 0,
): Promise<T> {
  return readAsSession(base, keys, `/api/requests/${requestId}/status?waitMs=${waitMs}`)
}

/** One of the few addresses that a session may read, signed with its keys. */
export function readAsSession<T>(base: string, keys: SessionKeys, target: string): Promise<T> {
  const request = {
    method: 'GET',
    target,
    headers: [['host', new URL(base).host]] as const,
    body: new Uint8Array(),
  }
  const signed = sign(request, keys, AGENT_SCOPE, Date.now())
  const headers = Object.fromEntries(signed.filter(([name]) => name.toLowerCase() !== 'host'))
  return new GateClient(base, { headers: async () => headers }).get<T>(target)
}

async function knownKey(
  client: GateClient,
  named: string | undefined,
  last: string | undefined,
): Promise<string> {
  const ssh = join(homedir(), '.ssh')
  const usual = ['id_ed25519_sk', 'id_ecdsa_sk', 'id_ed25519', 'id_ecdsa', 'id_rsa']
  const offered = [named ?? process.env['SECONDER_SSH_KEY']].filter((path) => path !== undefined)
  const tried = offered.length > 0 ? offered : [last, ...usual.map((name) => join(ssh, name))]
  for (const path of tried) {
    const file = path?.replace(/\.pub$/, '')
    if (file === undefined || !existsSync(`${file}.pub`)) continue
    const query = new URLSearchParams({ fingerprint: fingerprintIn(`${file}.pub`) })
    const { person } = await client.open<{ person: string | null }>(`/api/keys?${query}`)
    if (person !== null) return file
  }
  throw new CommandFailure(
    'sign_in_needed',
    offered.length > 0
      ? `the gate knows nobody with the key ${offered[0]}`
      : 'reading needs somebody whom this gate knows',
    'give your registered key once, and it is remembered: --ssh-key ~/.ssh/id_ed25519 (or SECONDER_SSH_KEY)',
  )
}

function fingerprintIn(path: string): string {
  try {
    return parsePublicKey(readFileSync(path, 'utf8').trim()).fingerprint
  } catch {
    return '' // not a key that any gate takes: nobody is known by it
  }
}

function fileOf(gate: string): string {
  return join(homedir(), '.seconder', `reading-${gate.slice(0, 16)}.json`)
}

function keptIn(file: string): Kept {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept
  } catch {
    return {} // none yet, or somebody else's: a fresh one is signed for
  }
}

/** For its owner's eyes alone, whole or not at all. */
function keep(file: string, kept: Kept): void {
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
    const fresh = `${file}.${process.pid}`
    writeFileSync(fresh, JSON.stringify(kept), { mode: 0o600 })
    renameSync(fresh, file)
  } catch {
    return // where nothing can be kept, each command signs anew
  }
}

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}
