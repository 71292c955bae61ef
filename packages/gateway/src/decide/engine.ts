// One Cedar WASM instance with the preparsed slices of one policy set in it. An instance that threw
// is never used again: after a memory fault every later call of it throws too (hazard 1), so it is
// dropped and made anew for the next call. Nothing here turns a fault into an answer.
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'
import { freshCedar } from './fresh-cedar.ts'

export type CedarModule = typeof Cedar

const SCHEMA_NAME = 'schema'

/** What one instance must hold before it can answer: the schema and each slice's policies by id. */
export interface Prepared {
  readonly schema: string
  readonly slices: ReadonlyMap<string, Readonly<Record<string, string>>>
}

export type CedarCall = Omit<
  Cedar.StatefulAuthorizationCall,
  'preparsedSchemaName' | 'validateRequest' | 'preparsedPolicySetId'
>

/** For each slice the first one that is the very same object: what is parsed once answers for all of them. */
export type Alikes = ReadonlyMap<string, string>

/** Parses the schema and every slice into the instance; throws when one does not parse. */
export function preparse(cedar: CedarModule, prepared: Prepared): Alikes {
  expectParsed('schema', cedar.preparseSchema(SCHEMA_NAME, prepared.schema))
  const firsts = new Map<object, string>()
  const alikes = new Map<string, string>()
  for (const [name, policies] of prepared.slices) {
    const first = firsts.get(policies) ?? name
    alikes.set(name, first)
    if (first !== name) continue
    firsts.set(policies, name)
    expectParsed(name, cedar.preparsePolicySet(name, { staticPolicies: { ...policies } }))
  }
  return alikes
}

/** Cedar's answer from one preparsed slice; the request is always validated against the schema. */
export function askSlice(
  cedar: CedarModule,
  alikes: Alikes,
  sliceName: string,
  call: CedarCall,
): Cedar.AuthorizationAnswer {
  return cedar.statefulIsAuthorized({
    ...call,
    preparsedSchemaName: SCHEMA_NAME,
    validateRequest: true,
    preparsedPolicySetId: alikes.get(sliceName) ?? sliceName,
  })
}

/** Answers remembered for one policy set, and the longest question that is. */
export const REMEMBERED_MAX = 4_096
export const REMEMBERED_CHARS_MAX = 8_192

/** The instance of one policy set, from its first use to its first throw, and then the next one. */
export class Engine {
  readonly #prepared: Prepared
  readonly #make: () => CedarModule
  #cedar: CedarModule | null = null
  #alikes: Alikes = new Map()
  readonly #answers = new Map<string, Cedar.AuthorizationAnswer>()

  /** `make` is a parameter so that a test can hand in an instance that dies. */
  constructor(prepared: Prepared, make: () => CedarModule = freshCedar) {
    this.#prepared = prepared
    this.#make = make
  }

  /**
   * Prepares an instance now, so that the first request does not wait for it: the one that is given, or one that
   * is made.
   */
  warm(made: CedarModule = this.#make()): void {
    this.#cedar ??= this.#ready(made)
  }

  /**
   * Cedar's answer; on any throw the instance is discarded and the throw passed on. `facts` is all of the
   * call that a policy of the slice reads: the same facts have the same answer, which is remembered, and
   * the call is made only where it is not. Faults are never remembered.
   */
  ask(sliceName: string, facts: string, call: () => CedarCall): Cedar.AuthorizationAnswer {
    const key = `${sliceName}\n${facts}`
    const known = this.#answers.get(key)
    if (known) return known
    const answer = this.#askCedar(sliceName, call())
    if (answer.type === 'success' && key.length <= REMEMBERED_CHARS_MAX) {
      if (this.#answers.size >= REMEMBERED_MAX) this.#answers.clear()
      this.#answers.set(key, answer)
    }
    return answer
  }

  #askCedar(sliceName: string, call: CedarCall): Cedar.AuthorizationAnswer {
    const cedar = this.#cedar ?? this.#ready(this.#make())
    this.#cedar = null
    const answer = askSlice(cedar, this.#alikes, sliceName, call)
    // Reached only when nothing was thrown: a thrower stays discarded.
    this.#cedar = cedar
    return answer
  }

  #ready(cedar: CedarModule): CedarModule {
    this.#alikes = preparse(cedar, this.#prepared)
    return cedar
  }
}

function expectParsed(name: string, answer: Cedar.CheckParseAnswer): void {
  if (answer.type === 'success') return
  const causes = answer.errors.map((error) => error.message).join(': ')
  throw new Error(`cedar refused to preparse \`${name}\`: ${causes}`)
}
