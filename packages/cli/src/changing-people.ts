// Signs changes of people: makes the statement, signs it with a member's key, and sends it. The words that a
// member confirms are made here from the change that is signed, never taken from the gate.
import { readFileSync } from 'node:fs'
import type { JsonObject } from '@seconder/aws/call'
import { sha256Hex } from '@seconder/gateway/lib/canonical-json'
import { PEOPLE_CHANGE, type PeopleChange } from '@seconder/gateway/lib/people-change'
import { changeWords } from '@seconder/gateway/lib/people-words'
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import { parseRegisteredKey } from '@seconder/gateway/lib/registered-key'
import { keysIn, type ShownChange } from '@seconder/gateway/people/desk'
import {
  CANCEL_NAMESPACE,
  FIRST_MEMBER_NAMESPACE,
  PEOPLE_NAMESPACE,
} from '@seconder/gateway/people/statement'
import { CommandFailure, EXIT } from './failure.ts'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import { keySigner, type Signer } from './signing.ts'

/** A person with every key and identity there may be. */
const WORDS_CHARS_MAX = 8_000
/** How long one statement may be on its way, in milliseconds. */
const STATEMENT_LIFE_MS = 5 * 60_000

export interface ListedPeople {
  readonly people: readonly {
    readonly name: string
    readonly teams: readonly string[]
    readonly keys: readonly { fingerprint: string; kind: string; showsPresence: boolean }[]
    readonly identities: readonly { issuer: string; subject: string }[]
  }[]
  readonly changes: readonly ShownChange[]
}

/** One line for a terminal, from the change itself. */
export function wordsOf(change: PeopleChange): string {
  return escapeUntrusted(changeWords(change, keysIn(change)), WORDS_CHARS_MAX)
}

/** Errors: CommandFailure `usage` for a change that no gate would take. */
export function checkedChange(change: unknown): PeopleChange {
  const parsed = PEOPLE_CHANGE.safeParse(change)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue?.path.join('.') ?? ''
  throw new CommandFailure('usage', `${where}: ${issue?.message ?? 'is wrong'}`, '', EXIT.usage)
}

export async function signChange(
  client: GateClient,
  signer: Signer,
  change: PeopleChange,
): Promise<ShownChange> {
  const { gate } = await client.facts()
  const statement = { type: PEOPLE_NAMESPACE, gate, change, ...signedBy(signer) }
  const act = await signer.sign(statement as unknown as JsonObject, PEOPLE_NAMESPACE)
  return client.post<ShownChange>('/api/people/changes', act)
}

export async function cancelChange(
  client: GateClient,
  signer: Signer,
  changeId: string,
): Promise<ShownChange> {
  const { gate } = await client.facts()
  const statement = { type: CANCEL_NAMESPACE, gate, changeId, ...signedBy(signer) }
  const act = await signer.sign(statement, CANCEL_NAMESPACE)
  return client.post<ShownChange>('/api/people/changes/cancel', act)
}

/** Joins a gate that has nobody, with the one-time link in the file of its own user. */
export async function joinFirst(
  client: GateClient,
  keyPath: string,
  person: { readonly name: string; readonly teams: readonly string[]; readonly link: string },
): Promise<{ person: string }> {
  const { gate } = await client.facts()
  const signer = keySigner(keyPath)
  const code = person.link.trim().split('#')[1] ?? ''
  const change = checkedChange({
    kind: 'add-person',
    person: person.name,
    teams: [...person.teams],
    keys: [signer.publicKey],
    identities: [],
  })
  const statement = {
    type: FIRST_MEMBER_NAMESPACE,
    gate,
    codeSha256: sha256Hex(code),
    change,
    nonce: nonce(),
  }
  const act = await signer.sign(statement as unknown as JsonObject, FIRST_MEMBER_NAMESPACE)
  return client.post<{ person: string }>('/api/people/first', act)
}

/** The one line of a public key: of a file, or given as it is. Never a private key's. */
export function keyLine(given: string): string {
  const isLine = /^(passkey|ssh-|ecdsa-|sk-)/.test(given)
  try {
    const line = isLine ? given.trim() : readFileSync(publicFile(given), 'utf8').trim()
    return parseRegisteredKey(line).line
  } catch {
    throw new CommandFailure(
      'key_unreadable',
      `cannot read a public key from \`${given.slice(0, 80)}\``,
      'give a .pub file, or the line that the console shows for a passkey',
      EXIT.usage,
    )
  }
}

function publicFile(path: string): string {
  return path.endsWith('.pub') ? path : `${path}.pub`
}

function signedBy({ person }: Signer) {
  const expiresAt = new Date(Date.now() + STATEMENT_LIFE_MS).toISOString()
  return { signer: person, nonce: nonce(), expiresAt }
}
