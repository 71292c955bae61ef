// Makes signed acts: canonical JSON of a statement, signed with a person's SSH key by the agent, by
// ssh-keygen, or by own code for unencrypted Ed25519 keys. The private key never leaves that signer.
import { readFileSync } from 'node:fs'
import type { JsonObject } from '@seconder/aws/call'
import { canonicalJson } from '@seconder/gateway/lib/canonical-json'
import { parsePublicKey } from '@seconder/gateway/lib/ssh/public-key'
import { signSshMessage } from '@seconder/gateway/lib/ssh/sign'
import { CommandFailure, EXIT } from './failure.ts'
import type { GateClient, SignedAct } from './gate-client.ts'
import { SignedReading } from './sign-in.ts'

export interface KeySigner {
  /** One line of the .pub file. */
  readonly publicKey: string
  sign(statement: JsonObject, namespace: string): Promise<SignedAct>
}

export interface Signer extends KeySigner {
  /** Who the gate says this key belongs to. */
  readonly person: string
}

/** Returns a signer for the key at `keyPath` (private key, or its .pub when an ssh-agent holds it). */
export async function signerFor(client: GateClient, keyPath: string | undefined): Promise<Signer> {
  if (!keyPath) {
    throw new CommandFailure(
      'usage',
      'this needs your signature',
      'give your key: --ssh-key ~/.ssh/id_ed25519',
      EXIT.usage,
    )
  }
  const signer = keySigner(keyPath)
  const { fingerprint } = parsePublicKey(signer.publicKey)
  const query = new URLSearchParams({ fingerprint })
  const { person } = await client.open<{ person: string | null }>(`/api/keys?${query}`)
  if (person === null) {
    throw new CommandFailure(
      'key_unknown',
      `the gate knows nobody with the key ${fingerprint}`,
      'use a key that is registered for you',
    )
  }
  const known = { ...signer, person }
  client.readAs(new SignedReading(known))
  return known
}

/** A signer for the key at `keyPath`, whoever it belongs to. */
export function keySigner(keyPath: string): KeySigner {
  const path = keyPath.replace(/\.pub$/, '')
  const publicKey = readPublicKey(path)
  return {
    publicKey,
    async sign(statement, namespace) {
      const text = canonicalJson(statement)
      const message = new TextEncoder().encode(text)
      return {
        statement: text,
        signature: await signSshMessage({
          message,
          namespace,
          keyPath: path,
          agentSocket: process.env['SSH_AUTH_SOCK'],
        }),
        publicKey,
      }
    },
  }
}

function readPublicKey(path: string): string {
  try {
    return readFileSync(`${path}.pub`, 'utf8').trim()
  } catch {
    throw new CommandFailure(
      'key_unreadable',
      `cannot read ${path}.pub`,
      'the public key must lie beside the private one',
    )
  }
}
