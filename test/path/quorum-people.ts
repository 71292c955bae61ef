// The people of a quorum test as the test itself keeps them: who they are, of which teams since when, with
// which keys. Every change is signed by two members at the gate, and then made here.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@seconder/aws/call'
import type { SignedAct } from '@seconder/cli/gate-client'
import { canonicalJson } from '@seconder/gateway/lib/canonical-json'
import type { Clock } from '@seconder/gateway/lib/clock'
import type { PeopleChange } from '@seconder/gateway/lib/people-change'
import { parseRegisteredKey } from '@seconder/gateway/lib/registered-key'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { signSshMessage } from '@seconder/gateway/lib/ssh/sign'
import { PEOPLE_NAMESPACE } from '@seconder/gateway/people/statement'
import type { Authenticator } from '../fakes/authenticator.ts'
import { nonce } from './acts.ts'
import type { Harness } from './harness.ts'

export interface Key {
  readonly kind: 'ssh' | 'passkey'
  readonly fingerprint: string
  readonly addedAtMs: number
  removed: boolean
  /** Signs whatever it is given, known to the gate or not. */
  readonly sign: (statement: JsonObject, namespace: string) => Promise<SignedAct | object>
}

export interface Person {
  readonly name: string
  /** Since when each is theirs. */
  readonly teams: Map<string, number>
  readonly keys: Key[]
  readonly addedAtMs: number
  removed: boolean
}

/** Two who have no passkey and are always there, so that their key files sign changes of people. */
const MEMBERS = ['bob', 'carol']

export class QuorumPeople {
  readonly #gate: Harness
  readonly #clock: Clock
  readonly all: Person[]
  #made = 0

  constructor(
    gate: Harness,
    clock: Clock,
    passkeys: Readonly<Record<string, Authenticator>>,
    teams: Readonly<Record<string, readonly string[]>>,
  ) {
    this.#gate = gate
    this.#clock = clock
    this.all = Object.entries(teams).map(([name, theirs]) => {
      const path = gate.keys.get(name) ?? ''
      const passkey = passkeys[name]
      return {
        name,
        teams: new Map(theirs.map((team) => [team, 0])),
        keys: [sshKey(path, 0), ...(passkey ? [this.#passkeyOf(passkey)] : [])],
        addedAtMs: 0,
        removed: false,
      }
    })
  }

  /** Who may be changed: neither the operator nor those who sign the changes. */
  changeable(operator: string): Person[] {
    return this.all.filter(
      ({ name, removed }) => !removed && name !== operator && !MEMBERS.includes(name),
    )
  }

  async addPerson(teams: readonly string[]): Promise<Person> {
    const name = `new-${this.#made}`
    const { path, line } = await this.#newKey()
    await this.#change({
      kind: 'add-person',
      person: name,
      teams: [...teams],
      keys: [line],
      identities: [],
    })
    const nowMs = this.#clock.nowMs()
    const person = {
      name,
      teams: new Map(teams.map((team) => [team, nowMs])),
      keys: [sshKey(path, nowMs)],
      addedAtMs: nowMs,
      removed: false,
    }
    this.all.push(person)
    return person
  }

  async removePerson(person: Person): Promise<void> {
    await this.#change({ kind: 'remove-person', person: person.name })
    person.removed = true
    for (const key of person.keys) key.removed = true
  }

  async addKey(person: Person): Promise<void> {
    const { path, line } = await this.#newKey()
    await this.#change({ kind: 'add-key', person: person.name, key: line })
    person.keys.push(sshKey(path, this.#clock.nowMs()))
  }

  async removeKey(person: Person, key: Key): Promise<void> {
    const { fingerprint } = key
    await this.#change({ kind: 'remove-key', person: person.name, fingerprint })
    key.removed = true
  }

  async join(person: Person, team: string): Promise<void> {
    await this.#change({ kind: 'add-team', person: person.name, team })
    person.teams.set(team, this.#clock.nowMs())
  }

  async leave(person: Person, team: string): Promise<void> {
    await this.#change({ kind: 'remove-team', person: person.name, team })
    person.teams.delete(team)
  }

  /** A key that belongs to nobody. */
  async stranger(): Promise<Key> {
    return sshKey((await this.#newKey()).path, 0)
  }

  async #newKey(): Promise<{ path: string; line: string }> {
    this.#made += 1
    const path = join(this.#gate.folder, `made-${this.#made}`)
    await generateEd25519KeyFile(path, `made-${this.#made}`)
    return { path, line: readFileSync(`${path}.pub`, 'utf8').trim() }
  }

  async #change(change: PeopleChange): Promise<void> {
    const { gate } = await this.#gate.client.facts()
    let state = ''
    for (const signer of MEMBERS) {
      const expiresAt = new Date(this.#clock.nowMs() + 60_000).toISOString()
      const statement = { type: PEOPLE_NAMESPACE, gate, change, signer, nonce: nonce(), expiresAt }
      const member = this.all.find(({ name }) => name === signer)
      const act = await member?.keys[0]?.sign(statement as JsonObject, PEOPLE_NAMESPACE)
      const shown = await this.#gate.client.post<{ state: string }>(
        '/api/people/changes',
        act ?? {},
      )
      state = shown.state
    }
    if (state !== 'in force') throw new Error(`${change.kind} is ${state}`)
  }

  #passkeyOf(authenticator: Authenticator): Key {
    const { fingerprint } = parseRegisteredKey(authenticator.line())
    const sign = (statement: JsonObject) => this.#gate.assert(authenticator, statement)
    return { kind: 'passkey', fingerprint, addedAtMs: 0, removed: false, sign }
  }
}

function sshKey(path: string, addedAtMs: number): Key {
  const publicKey = readFileSync(`${path}.pub`, 'utf8').trim()
  const { fingerprint } = parseRegisteredKey(publicKey)
  const sign = async (statement: JsonObject, namespace: string) => {
    const text = canonicalJson(statement)
    const signing = { message: text, namespace, keyPath: path, agentSocket: undefined }
    // No program is started for it: thousands are signed.
    return {
      statement: text,
      signature: await signSshMessage({ ...signing, keygen: null }),
      publicKey,
    }
  }
  return { kind: 'ssh', fingerprint, addedAtMs, removed: false, sign }
}
