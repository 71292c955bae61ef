// Names the parties that a change reaches beyond its own resources: accounts, everybody, or somebody of
// whom no account can be told. From shapes (policy documents, ARNs, account ids) and a short table. It may
// name too many, never knowingly too few; whose accounts they are is not known here. Pure.

import type { Json, JsonObject } from '../call.ts'
import { accountsIn } from '../sql/outside.ts'
import { statementsOf } from '../sql/statement-members.ts'
import { parseStrictJson } from '../strict-json.ts'
import { valuesAt } from './condition.ts'
import { isObject } from './decode-json.ts'
import {
  EVERYBODY,
  GRANTEE_LISTS,
  GRANTEE_NAMES,
  NAMES_ACCOUNT,
  NARROWING,
  NOT_A_PARTY,
  PRINCIPAL,
  WITHDRAWS,
} from './parties-table.ts'

/** One party: twelve digits, `*` for everybody, `?` where no account can be told. */
export interface Party {
  readonly account: string
  /** The member it was read from, e.g. `Policy`. */
  readonly at: string
}

/** Values that are walked; past them the answer holds a `?`. */
const VALUES_MAX = 200_000
const DEPTH_MAX = 64
/** Characters of a text that is read as a policy or a template. */
const DOCUMENT_CHARS_MAX = 2 * 1024 * 1024

const ARN = /^arn:[a-z-]+:[A-Za-z0-9-]+:[A-Za-z0-9-]*:([^:]*):/
const ACCOUNT = /^\d{12}$/

/** The parties of an operation with these parameters, each once, in the order they are found. */
export function partiesOf(operation: string, parameters: JsonObject): Party[] {
  // `OperationType: remove` takes back what the rest of the call names.
  // Source: AWSEC2 API Reference, ModifyImageAttribute and ModifySnapshotAttribute.
  if (parameters['OperationType'] === 'remove') return []
  const walk = new Walk(operation)
  walk.members(parameters, '', 0)
  if (operation === 'lambda:AddPermission') walk.invoker(parameters)
  walk.statements(parameters)
  return [...walk.found.values()]
}

class Walk {
  readonly found = new Map<string, Party>()
  readonly #service: string
  readonly #operation: string
  #values = 0

  constructor(operation: string) {
    this.#operation = operation
    this.#service = operation.split(':', 1)[0] ?? ''
  }

  members(object: JsonObject, at: string, depth: number): void {
    for (const [name, value] of Object.entries(object)) {
      if (!WITHDRAWS.test(name)) this.#value(value, name, at === '' ? name : at, depth)
    }
  }

  /** Redshift and Aurora take roles and functions of other accounts by an ARN in the text. */
  statements(parameters: JsonObject): void {
    const path = statementsOf(this.#operation)?.path
    if (path === undefined) return
    for (const text of valuesAt(parameters, path)) {
      const accounts = typeof text === 'string' ? accountsIn(text) : []
      for (const account of accounts) this.#add(account, path)
    }
  }

  #value(value: Json, name: string, at: string, depth: number): void {
    this.#values += 1
    if (this.#values > VALUES_MAX || depth > DEPTH_MAX) this.#add('?', at)
    else if (typeof value === 'string') this.#text(value, name, at)
    else if (Array.isArray(value)) {
      for (const each of value) this.#value(each, name, at, depth + 1)
    } else if (isObject(value) && !NOT_A_PARTY.has(name)) {
      if (isStatement(value)) this.#statement(value, at)
      else this.members(value, at, depth + 1)
    }
  }

  #text(text: string, name: string, at: string): void {
    // A key may be written with escapes. What is no strict JSON may still be a policy to somebody.
    if (/^\s*[[{]/.test(text) && /principal|\\u/i.test(text)) {
      const document = documentOf(text)
      if (document === undefined) this.#add('?', at)
      else this.#document(document, at, 0)
      return
    }
    if (NOT_A_PARTY.has(name)) return
    if (isEverybody(this.#service, this.#operation, name, text)) this.#add('*', at)
    else if (this.#service === 's3' && GRANTEE_LISTS.has(name)) this.#granteeList(text, at)
    else if (this.#service === 's3' && GRANTEE_NAMES.has(name)) this.#add('?', at)
    else if (PRINCIPAL.test(name)) this.#principal(text, at)
    else this.#plain(text, name, at)
  }

  #plain(text: string, name: string, at: string): void {
    const inArn = ARN.exec(text)?.[1]
    if (inArn !== undefined) {
      if (ACCOUNT.test(inArn)) this.#add(inArn, at)
    } else if (ACCOUNT.test(text) && NAMES_ACCOUNT.test(name)) this.#add(text, at)
  }

  #granteeList(text: string, at: string): void {
    for (const grantee of text.split(',')) {
      if (/groups\/global\//.test(grantee)) this.#add('*', at)
      else if (!/groups\/s3\/LogDelivery/.test(grantee)) this.#add('?', at)
    }
  }

  /** Every policy in a document, however deep: a template holds policies too. */
  #document(value: Json, at: string, depth: number): void {
    this.#values += 1
    if (NARROWING.has(this.#operation)) return
    if (this.#values > VALUES_MAX || depth > DEPTH_MAX) this.#add('?', at)
    else if (Array.isArray(value)) {
      for (const each of value) this.#document(each, at, depth + 1)
    } else if (isObject(value)) {
      if (isStatement(value)) this.#statement(value, at)
      for (const each of Object.values(value)) {
        if (typeof each === 'object') this.#document(each, at, depth + 1)
      }
    }
  }

  /** Source: IAM User Guide, reference_policies_elements_principal.html and ..._notprincipal.html. */
  #statement(statement: JsonObject, at: string): void {
    if (statement['Effect'] === 'Deny') return
    for (const [name, principal] of Object.entries(statement)) {
      if (/^notprincipal$/i.test(name)) this.#add('*', at)
      if (!/^principal$/i.test(name)) continue
      const byType = isObject(principal) ? Object.entries(principal) : [['AWS', principal] as const]
      for (const [type, named] of byType) {
        if (type === 'Service') continue
        for (const each of Array.isArray(named) ? named : [named]) {
          if (typeof each !== 'string' || type === 'CanonicalUser') this.#add('?', at)
          else if (type === 'Federated') this.#federated(each, at)
          else this.#principal(each, at)
        }
      }
    }
  }

  /** A provider of the account's own, or one that stands outside of every account. */
  #federated(text: string, at: string): void {
    const account = ARN.exec(text)?.[1]
    this.#add(account !== undefined && ACCOUNT.test(account) ? account : '?', at)
  }

  /** An ARN, an account, everybody, a service of AWS, or somebody who cannot be told. */
  #principal(text: string, at: string): void {
    const account = ARN.exec(text)?.[1] ?? (ACCOUNT.test(text) ? text : undefined)
    if (text.trim() === '*') this.#add('*', at)
    else if (account !== undefined && ACCOUNT.test(account)) this.#add(account, at)
    else if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$/.test(text))
      this.#add('?', at)
  }

  /**
   * A service that may invoke a function does so for whoever set it up, unless an account is named.
   * Source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html, SourceAccount.
   */
  invoker({ Principal, SourceAccount, SourceArn, PrincipalOrgID }: JsonObject): void {
    if (typeof Principal !== 'string' || !/\.amazonaws\.com/.test(Principal)) return
    const named = [SourceAccount, typeof SourceArn === 'string' ? ARN.exec(SourceArn)?.[1] : null]
    const known = named.some((text) => typeof text === 'string' && ACCOUNT.test(text))
    if (!known && PrincipalOrgID === undefined) this.#add('*', 'Principal')
  }

  #add(account: string, at: string): void {
    this.found.set(`${account} ${at}`, { account, at })
  }
}

function isStatement(object: JsonObject): boolean {
  const names = Object.keys(object).map((name) => name.toLowerCase())
  return names.includes('effect') && names.some((name) => /^(?:not)?principal$/.test(name))
}

function isEverybody(service: string, operation: string, name: string, text: string): boolean {
  return EVERYBODY.some(
    ({ of, member, values }) =>
      (of === service || of === operation) && member === name && values.includes(text),
  )
}

function documentOf(text: string): Json | undefined {
  try {
    return parseStrictJson(text, { maxBytes: DOCUMENT_CHARS_MAX * 3 })
  } catch {
    return undefined // no JSON: see the caller
  }
}
