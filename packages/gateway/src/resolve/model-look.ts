// Sends a read of the tables through Look and gives its answer as one plain object, JSON and XML alike.
import type { JsonObject } from '@seconder/aws/call'
import { unwrapped } from './answer-member.ts'
import type { Look, Looked } from './look.ts'
import { answersXml, modelCall, type ReadName } from './model-read.ts'

/** `advisory`: for the reviewer alone, so that an answer of the last seconds will do. */
export async function readModel(
  look: Look,
  region: string,
  read: ReadName,
  input: JsonObject,
  absentCodes: readonly string[],
  advisory = false,
): Promise<Looked<JsonObject>> {
  const call = {
    ...modelCall(region, read, input),
    ...(advisory ? { advisory: true as const } : {}),
  }
  if (!answersXml(read)) return look.json(call, absentCodes)
  const looked = await look.xml(call, absentCodes)
  if (looked.found !== 'yes') return looked
  const value = unwrapped(looked.value)
  return value === null ? { found: 'unknown', why: 'unreadable' } : { found: 'yes', value }
}

/** True where the answer says that there is more than it lists. */
export function hasMore(answer: JsonObject): boolean {
  return PAGE_MARKS.some((name) => {
    const mark = answer[name]
    return typeof mark === 'string' && mark !== '' && mark !== 'false'
  })
}

/** Members by which AWS says that a list goes on. Source: paginators of the API models. */
const PAGE_MARKS = [
  'NextToken',
  'nextToken',
  'Marker',
  'NextMarker',
  'position',
  'LastEvaluatedTableName',
] as const
