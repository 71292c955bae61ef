// Change sets recorded from real AWS (localstack's snapshots), turned back into the XML they came as.
// The recordings are not part of the repository; without them this says so and skips.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Json, JsonObject } from '@seconder/aws/call'
import { parseStrictJson } from '@seconder/aws/strict-json'
import { expect, test } from 'vitest'
import { describedStack } from './aws-answers.fixture.ts'
import { bindingRead } from './binding.ts'
import { asObject, listAt, objectAt, textAt } from './member.ts'
import { resolve } from './resolve.ts'
import { awsAction, scriptedUpstream, xmlAnswer } from './scripted-upstream.fixture.ts'

const RECORDINGS = join(import.meta.dirname, '../../../../../shared/data/changesets')
const EXECUTE = awsAction(
  'cloudformation:ExecuteChangeSet',
  { StackName: 'shop', ChangeSetName: 'fix' },
  ['opaque'],
)

/** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html: lists are `member` elements. */
function xmlOf(name: string, value: Json): string {
  const inner = Array.isArray(value)
    ? value.map((one: Json) => xmlOf('member', one)).join('')
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, one]) => xmlOf(key, one as Json))
          .join('')
      : String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<${name}>${inner}</${name}>`
}

function changeSetsIn(value: Json): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(changeSetsIn)
  const object = asObject(value)
  if (object === null) return []
  const own = listAt(object, 'Changes') !== null && textAt(object, 'ChangeSetId') !== null
  return [...(own ? [object] : []), ...Object.values(object).flatMap(changeSetsIn)]
}

function recordedChangeSets(): JsonObject[] {
  return readdirSync(RECORDINGS)
    .filter((file) => file.endsWith('.json.gz'))
    .flatMap((file) =>
      changeSetsIn(parseStrictJson(gunzipSync(readFileSync(join(RECORDINGS, file))))),
    )
}

/** What the recording itself says of one change, read without the code under test. */
function expectedFate(change: JsonObject | null): string {
  const action = textAt(change, 'Action')
  if (action === 'Add') return 'created'
  if (action === 'Remove')
    return textAt(change, 'PolicyAction') === 'Retain' ? 'changed' : 'deleted'
  const replaces = ['True', 'Conditional'].includes(textAt(change, 'Replacement') ?? '')
  return replaces ? 'replaced' : 'changed'
}

test.skipIf(!existsSync(RECORDINGS))(
  'every recorded change set is read whole, each change with its fate (needs the recordings)',
  async () => {
    const recorded = recordedChangeSets()
    expect(recorded.length).toBeGreaterThan(20)
    for (const set of recorded) {
      const { ResponseMetadata: _metadata, ...result } = set
      const body = xmlOf('DescribeChangeSetResponse', { DescribeChangeSetResult: result })
      const upstream = scriptedUpstream({
        'cloudformation:DescribeChangeSet': xmlAnswer(body),
        'cloudformation:DescribeStacks': describedStack(),
      })
      const evidence = await resolve(EXECUTE, upstream, { deadlineMs: 5000 })
      expect(bindingRead(evidence)).toBe(true)
      const changes = (listAt(set, 'Changes') ?? []).map((one) =>
        objectAt(asObject(one), 'ResourceChange'),
      )
      expect(evidence.findings.map((one) => one.fate).sort()).toEqual(
        changes.map(expectedFate).sort(),
      )
      const removes = changes.some((change) => expectedFate(change) === 'deleted')
      if (removes) expect(evidence.addedEffects).toContain('destroy')
      const replaces = changes.some((change) => expectedFate(change) === 'replaced')
      expect(evidence.addedEffects.includes('replace')).toBe(replaces)
    }
  },
)
