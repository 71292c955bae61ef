// Finds the roles whose trust may let a principal in, by the names in it, so that not every principal is
// held against every role. What names nobody in particular is always a candidate.

import type { Statement } from '@seconder/aws/iam/policy'
import { partitionIn } from './estate.ts'
import type { Subject } from './subject.ts'

export class Trusting {
  readonly #byName = new Map<string, Subject[]>()
  /** Trusts that name everybody, all but some, somebody by a canonical id, or that could not be read. */
  readonly #always: Subject[] = []

  constructor(roles: readonly Subject[]) {
    for (const role of roles) {
      const names = namesIn(role)
      if (names === null) this.#always.push(role)
      else
        for (const name of names) this.#byName.set(name, [...(this.#byName.get(name) ?? []), role])
    }
  }

  /** A superset of those that let it in. */
  of({ identity }: Subject): readonly Subject[] {
    const { arn, account, name } = identity
    const partition = partitionIn(arn)
    const names = [
      arn,
      account,
      `arn:${partition}:iam::${account}:root`,
      `arn:${partition}:sts::${account}:assumed-role/${name}`,
    ]
    return [...new Set([...this.#always, ...names.flatMap((each) => this.#byName.get(each) ?? [])])]
  }
}

/** null where the trust may be about anybody. */
function namesIn({ trust }: Subject): Set<string> | null {
  if (trust === null) return null
  const names = new Set<string>()
  for (const statement of trust.statements) {
    if (statement.effect === 'deny') continue
    if (isOpen(statement)) return null
    for (const name of statement.principals?.named.get('AWS') ?? []) {
      // A session of a role stands under the role, whatever the session is called.
      names.add(name.replace(/^(arn:[^:]+:sts::\d{12}:assumed-role\/[^/]+)\/.*$/, '$1'))
    }
  }
  return names
}

function isOpen({ principals }: Statement): boolean {
  return (
    principals === null ||
    principals.not ||
    principals.everybody ||
    (principals.named.get('CanonicalUser')?.size ?? 0) > 0
  )
}
