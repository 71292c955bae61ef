// Looks at a Lambda function: every version that the call would run or make live, by number or through
// an alias and its weights, with the code and the role of each. Two versions of one function may act
// under two roles, so one look at the name is not enough (redteam H8).
import type { JsonObject } from '@seconder/aws/call'
import { aliasCall, functionCall } from './acting-reads.ts'
import { quoted } from './amounts.ts'
import {
  absent,
  type HolderLook,
  type Placed,
  regionIn,
  roleOf,
  unnamed,
  unread,
} from './holder-look.ts'
import type { Look } from './look.ts'
import { memberAt, objectAt, textAt } from './member.ts'

/** Versions of one function that are looked at; an alias names at most two. */
export const MAX_VERSIONS = 6

const LATEST = '$LATEST'

export async function lookAtFunction(
  parameters: JsonObject,
  look: Look,
  here: Placed,
): Promise<HolderLook> {
  const given = textAt(parameters, 'FunctionName')
  if (given === null) return unnamed(look)
  const { name, suffix } = parted(given)
  const region = regionIn(name, here)
  const versions = await versionsOf(parameters, { name, suffix, region }, look)
  if (versions === null || versions.size > MAX_VERSIONS) {
    return unread(look, `every version that ${quoted(given)} means`, { found: 'no' })
  }
  const looks = await Promise.all(
    [...versions].sort().map((version) => lookAtVersion(look, region, name, version)),
  )
  const [only, second] = looks
  return {
    binding:
      only !== undefined && second === undefined
        ? only.binding
        : { versions: looks.map(({ binding }) => binding) },
    roles: [...new Set(looks.flatMap(({ roles }) => roles))].sort(),
    innerCalls: [],
  }
}

/** A name, a partial or a whole ARN, and the version or alias behind it.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html, FunctionName */
function parted(given: string): { name: string; suffix: string | null } {
  const [, name = given, suffix] =
    /^((?:arn:[a-z-]+:lambda:[a-z0-9-]+:)?(?:\d{12}:)?(?:function:)?[A-Za-z0-9_-]+)(?::([A-Za-z0-9_$-]+))?$/.exec(
      given,
    ) ?? []
  return { name, suffix: suffix ?? null }
}

interface Named {
  readonly name: string
  readonly suffix: string | null
  readonly region: string
}

/** The versions that run: those named, and those behind each alias named; null where one is not known. */
async function versionsOf(
  parameters: JsonObject,
  { name, suffix, region }: Named,
  look: Look,
): Promise<Set<string> | null> {
  const version = textAt(parameters, 'FunctionVersion')
  // UpdateAlias may leave the version where it is; then the alias itself says it.
  const alias = version === null ? textAt(parameters, 'Name') : null
  const named = [suffix, textAt(parameters, 'Qualifier'), version, alias].filter(
    (one) => one !== null,
  )
  const versions = new Set(weighted(parameters))
  for (const one of named.length === 0 ? [LATEST] : named) {
    if (/^(?:\d+|\$LATEST)$/.test(one)) {
      versions.add(one)
      continue
    }
    const looked = await look.json(aliasCall(region, name, one), ['ResourceNotFoundException'])
    const pointed = looked.found === 'yes' ? textAt(looked.value, 'FunctionVersion') : null
    if (looked.found !== 'yes' || pointed === null) return null
    for (const each of [pointed, ...weighted(looked.value)]) versions.add(each)
  }
  return versions
}

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_AliasRoutingConfiguration.html */
function weighted(holder: JsonObject): string[] {
  return Object.keys(objectAt(objectAt(holder, 'RoutingConfig'), 'AdditionalVersionWeights') ?? {})
}

async function lookAtVersion(
  look: Look,
  region: string,
  name: string,
  version: string,
): Promise<HolderLook> {
  const call = functionCall(region, name, version === LATEST ? null : version)
  const looked = await look.json(call, ['ResourceNotFoundException'])
  if (looked.found === 'no') return absent(name)
  const value = looked.found === 'yes' ? looked.value : null
  const arn = textAt(value, 'FunctionArn')
  if (value === null || arn === null) return unread(look, `function ${quoted(name)}`, looked)
  const role = roleOf(memberAt(value, 'Role'))
  return {
    binding: {
      function: arn,
      role,
      version: textAt(value, 'Version'),
      codeSha256: textAt(value, 'CodeSha256'),
      // Changes with every change of code or configuration, so that settings need not be read.
      revisionId: textAt(value, 'RevisionId'),
    },
    roles: [role],
    innerCalls: [],
  }
}
