// What the demo's agent decides: a pure function from what its tools have returned so far to its next
// move. One script for both runs; nothing in it knows whether a gate is there until a tool says so.

/** The stack that the agent looks after; its instructions name it. */
export const STACK = 'cost-explorer'

export const TOOLS = [
  'readStack',
  'readSettings',
  'readReport',
  'deleteStack',
  'waitForStackGone',
  'createStack',
  'updateSetting',
  'waitForReview',
] as const

export type ToolName = (typeof TOOLS)[number]
export type ToolInput = Readonly<Record<string, string>>

/** A tool that was called, and its answer word for word: JSON, or `ErrorName: message`. */
export interface Step {
  readonly tool: ToolName
  readonly input: ToolInput
  readonly result: string
}

export type Move =
  | { readonly kind: 'call'; readonly tool: ToolName; readonly input: ToolInput }
  | { readonly kind: 'say'; readonly text: string }

const DELETE_REASON = 'Deleting the stack and recreating it is the cleanest fix.'
const CREATE_REASON = 'Recreating the stack from its own template.'

/** The next move after `done`, oldest first. */
export function nextMove(done: readonly Step[]): Move {
  const last = done.at(-1)
  const stack = facts<StackFacts>(done, 'readStack')
  if (last === undefined || stack === undefined) return looking(last, 'readStack', { stack: STACK })
  const settings = facts<readonly SettingFacts[]>(done, 'readSettings')
  if (settings === undefined) return looking(last, 'readSettings', { table: stack.table })
  const month = latestAugust(settings)
  if (!done.some(({ tool }) => tool === 'readReport')) {
    return call('readReport', { bucket: stack.bucket, month })
  }
  switch (last.tool) {
    case 'readReport':
      return call('deleteStack', { stack: STACK, reason: DELETE_REASON })
    case 'waitForStackGone':
      if (isRefusal(last)) return stopped(last.result)
      return call('createStack', { stack: STACK, template: stack.template, reason: CREATE_REASON })
    case 'waitForReview':
      return reviewed(last, done, settings, stack)
    case 'deleteStack':
    case 'createStack':
    case 'updateSetting':
      return acted(last, settings, stack)
    case 'readStack':
    case 'readSettings':
      return stopped(last.result)
  }
}

interface StackFacts {
  readonly bucket: string
  readonly table: string
  readonly template: string
}

interface SettingFacts {
  readonly month: string
  readonly factor: string
}

/** After a call that changes something: it happened, it is held, or it is refused. */
function acted(last: Step, settings: readonly SettingFacts[], stack: StackFacts): Move {
  const held = /held this call.*?\b(r-[0-9a-z]{26})\b/s.exec(last.result)?.[1]
  if (held !== undefined) return call('waitForReview', { request: held })
  if (isRefusal(last)) return otherWay(last, last.result, settings, stack)
  if (last.tool === 'deleteStack') return call('waitForStackGone', { stack: STACK })
  if (last.tool === 'createStack') {
    return say('The environment is recreated from its template. I have no copy of what it held.')
  }
  const { month = '', factor = '' } = last.input
  return say(`The factor of ${month} is ${factor}, as in the other months. Nothing else changed.`)
}

/** After waiting for reviewers: the same call again, another way, or an end. */
function reviewed(
  { result }: Step,
  done: readonly Step[],
  settings: readonly SettingFacts[],
  stack: StackFacts,
): Move {
  const asked = done.findLast(({ tool }) => tool !== 'waitForReview')
  if (asked === undefined) return stopped(result)
  if (/\bis approved\b/.test(result)) return call(asked.tool, asked.input)
  return otherWay(asked, result, settings, stack)
}

/** A refused deletion leaves the smaller fix; when that is refused too, the agent stops. */
function otherWay(
  refused: Step,
  answer: string,
  settings: readonly SettingFacts[],
  stack: StackFacts,
): Move {
  const byPeople = /\brequests changes\b|\bwas denied by\b/.test(answer)
  if (refused.tool !== 'deleteStack' || !byPeople) return stopped(answer)
  const month = latestAugust(settings)
  const wrong = settings.find((setting) => setting.month === month)?.factor ?? ''
  const factor = usualFactor(settings)
  const reason = `The factor of ${month} is ${wrong}; every other month has ${factor}.`
  return call('updateSetting', { table: stack.table, month, factor, reason })
}

function latestAugust(settings: readonly SettingFacts[]): string {
  const months = settings.map(({ month }) => month).filter((month) => month.endsWith('-08'))
  return months.sort().at(-1) ?? ''
}

/** The factor that most months have. */
function usualFactor(settings: readonly SettingFacts[]): string {
  const counts = new Map<string, number>()
  for (const { factor } of settings) counts.set(factor, (counts.get(factor) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? ''
}

/** What a reading tool learned, or undefined while it has not been read. */
function facts<T>(done: readonly Step[], tool: ToolName): T | undefined {
  const read = done.find((step) => step.tool === tool && !isRefusal(step))
  return read === undefined ? undefined : (JSON.parse(read.result) as T)
}

/** A read that failed is not tried twice. */
function looking(last: Step | undefined, tool: ToolName, input: ToolInput): Move {
  return last?.tool === tool ? stopped(last.result) : call(tool, input)
}

function isRefusal({ result }: Step): boolean {
  return !/^[[{]/.test(result)
}

function call(tool: ToolName, input: ToolInput): Move {
  return { kind: 'call', tool, input }
}

function say(text: string): Move {
  return { kind: 'say', text }
}

function stopped(why: string): Move {
  return say(`I stop here. ${why}`)
}
