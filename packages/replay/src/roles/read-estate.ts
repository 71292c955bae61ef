// Makes the Estate out of exports of `aws iam get-account-authorization-details`, of one account or of
// several. A user or role of which something cannot be read stays in it, marked as unread.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html

import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '@seconder/aws/call'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import {
  accountIn,
  type Document,
  type Estate,
  type Fault,
  type Group,
  type Identity,
  type ManagedPolicy,
} from './estate.ts'
import { type Entry, entriesOf } from './export-entries.ts'

export interface ExportFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Never throws for what stands in the files: what is wrong is a fault. */
export function readEstate(files: readonly ExportFile[]): Estate {
  const estate = new Gathered()
  for (const { name, bytes } of files) {
    const { entries, faults } = entriesOf(bytes, name)
    estate.faults.push(...faults)
    for (const entry of entries) estate.take(entry)
  }
  return estate
}

class Gathered implements Estate {
  readonly identities = new Map<string, Identity>()
  readonly groups = new Map<string, Group>()
  readonly policies = new Map<string, ManagedPolicy>()
  readonly accounts = new Set<string>()
  readonly faults: Fault[] = []

  get whole(): boolean {
    return this.faults.every(({ kind }) => kind === 'organization')
  }

  take({ list, json, where }: Entry): void {
    const entry = objectOf(json)
    const arn = entry && textOf(entry['Arn'])
    const account = arn ? accountIn(arn) : ''
    if (!entry || !arn) this.#unreadable(where, 'it is not an object with an Arn')
    else if (list === 'Policies') {
      this.#put(this.policies, arn, this.#policy(entry, arn, where), where)
    } else if (account === '') this.#unreadable(where, 'its Arn names no account')
    else if (list === 'GroupDetailList') {
      const group = this.#group(entry, arn, account, where)
      this.accounts.add(account)
      this.#put(this.groups, `${account}/${group.name}`, group, where)
    } else {
      const kind = list === 'UserDetailList' ? 'user' : 'role'
      this.accounts.add(account)
      this.#put(this.identities, arn, this.#identity(kind, entry, arn, account, where), where)
    }
  }

  #put<T>(into: Map<string, T>, key: string, value: T, where: string): void {
    const before = into.get(key)
    if (before !== undefined && !isDeepStrictEqual(before, value)) {
      this.faults.push({
        kind: 'twice',
        where,
        what: `${key} was read before, with another content`,
      })
    }
    into.set(key, value)
  }

  #unreadable(where: string, what: string): void {
    this.faults.push({ kind: 'unreadable_entry', where, what })
  }

  #identity(
    kind: 'user' | 'role',
    entry: JsonObject,
    arn: string,
    account: string,
    where: string,
  ): Identity {
    const unread: string[] = []
    const miss = (what: string): void => {
      unread.push(what)
      this.#unreadable(where, `${arn}: ${what}`)
    }
    const name = textOf(entry[kind === 'user' ? 'UserName' : 'RoleName']) ?? lastOf(arn)
    const boundary = objectOf(entry['PermissionsBoundary'] ?? null)
    const boundaryArn = boundary && textOf(boundary['PermissionsBoundaryArn'])
    if (boundary && !boundaryArn) miss('its permissions boundary names no policy')
    const trust = kind === 'role' ? documentOf(entry['AssumeRolePolicyDocument']) : null
    if (kind === 'role' && trust === null) miss('its trust policy is not there or not JSON')
    return {
      kind,
      arn,
      account,
      name,
      tags: tagsOf(entry['Tags']),
      groups: listOf(entry['GroupList']).flatMap((each) => textOf(each) ?? []),
      inline: inlineOf(entry[kind === 'user' ? 'UserPolicyList' : 'RolePolicyList'], miss),
      attached: attachedOf(entry['AttachedManagedPolicies'], miss),
      boundary: boundaryArn ?? null,
      trust,
      instanceProfiles: listOf(entry['InstanceProfileList']).flatMap(
        (each) => textOf(objectOf(each)?.['Arn']) ?? [],
      ),
      lastUsed: textOf(objectOf(entry['RoleLastUsed'] ?? null)?.['LastUsedDate']) ?? null,
      serviceLinked: /:role\/aws-service-role\//.test(arn),
      unread,
    }
  }

  #group(entry: JsonObject, arn: string, account: string, where: string): Group {
    const unread: string[] = []
    const miss = (what: string): void => {
      unread.push(`${arn}: ${what}`)
      this.#unreadable(where, `${arn}: ${what}`)
    }
    return {
      unread,
      arn,
      account,
      name: textOf(entry['GroupName']) ?? lastOf(arn),
      inline: inlineOf(entry['GroupPolicyList'], miss),
      attached: attachedOf(entry['AttachedManagedPolicies'], miss),
    }
  }

  #policy(entry: JsonObject, arn: string, where: string): ManagedPolicy {
    const versions: JsonObject[] = []
    for (const each of listOf(entry['PolicyVersionList'])) {
      const version = objectOf(each)
      if (version) versions.push(version)
    }
    const current = versions.find((each) => each['IsDefaultVersion'] === true)
    const json = current === undefined ? null : documentOf(current['Document'])
    if (json === null) this.#unreadable(where, `${arn}: its default version is not there`)
    return {
      arn,
      name: textOf(entry['PolicyName']) ?? lastOf(arn),
      json,
      others: versions.flatMap((each) => {
        const other = each === current ? null : documentOf(each['Document'])
        return other === null ? [] : [{ id: textOf(each['VersionId']) ?? '?', json: other }]
      }),
    }
  }
}

/** The CLI gives objects, the API texts in percent encoding. */
function documentOf(value: Json | undefined): Json | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') return typeof value === 'object' ? value : null
  try {
    return parseStrictJson(Buffer.from(value.startsWith('%7B') ? decodeURIComponent(value) : value))
  } catch (cause) {
    if (cause instanceof StrictJsonError || cause instanceof URIError) return null
    throw cause
  }
}

/** A policy that cannot be read stays as one: whoever compiles it names it. */
function inlineOf(value: Json | undefined, miss: (what: string) => void): Document[] {
  return listOf(value).flatMap((each) => {
    const entry = objectOf(each)
    const name = entry && textOf(entry['PolicyName'])
    const json = entry ? documentOf(entry['PolicyDocument']) : null
    if (!name || json === null) {
      miss(`its inline policy \`${name ?? '?'}\` could not be read`)
      return []
    }
    return [{ name, json }]
  })
}

function attachedOf(value: Json | undefined, miss: (what: string) => void): string[] {
  return listOf(value).flatMap((each) => {
    const arn = textOf(objectOf(each)?.['PolicyArn'])
    if (!arn) miss('an attached policy has no ARN')
    return arn ? [arn] : []
  })
}

function tagsOf(value: Json | undefined): Map<string, string> {
  return new Map(
    listOf(value).flatMap((each): [string, string][] => {
      const tag = objectOf(each)
      const key = tag && textOf(tag['Key'])
      const text = tag && textOf(tag['Value'])
      return key && text !== undefined ? [[key, text ?? '']] : []
    }),
  )
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function objectOf(value: Json | undefined): JsonObject | null {
  return value !== undefined && value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as JsonObject)
    : null
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function lastOf(arn: string): string {
  return arn.split('/').at(-1) ?? arn
}
