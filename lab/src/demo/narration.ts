// Turns what happens into rows of the screen: the agent's calls, the gate's requests, the people's
// acts, what was counted. It words and shortens; it measures nothing and decides nothing.
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import type { Finding } from '@seconder/gateway/resolve/evidence'
import type { ReviewDocument } from '@seconder/gateway/review/document'
import type { ToolInput, ToolName } from './agent-script.ts'
import type { Probe } from './customers.ts'
import type { AgentEvent } from './events.ts'
import { OPERATOR } from './gate.ts'
import type { Holdings } from './holdings.ts'
import type { Screen } from './screen.ts'
import { isLost } from './verdict.ts'

/** Characters of other people's text in one row. */
const QUOTE_CHARS_MAX = 300
/** Findings that get a row. */
const FINDINGS_MAX = 6
const TITLE_CHARS_MAX = 30

/** `reviewers` have signed already, and more are needed. */
export type Instructions = (request: ShownRequest, reviewers: readonly string[]) => void

/** A row that what the agent did next has to come after. */
type Awaited = 'gone' | 'back' | 'closed'

export class Narration {
  readonly #screen: Screen
  readonly #whole: Holdings
  /** Tells a person how to answer; absent where a process answers. */
  readonly #instructions: Instructions | undefined
  readonly #readings: string[] = []
  /** What the agent did after something whose own row has not come yet. */
  #later: AgentEvent[] = []
  #awaited: Awaited | null = null
  #lastCall = ''
  #hasFailed = false
  #isOpen = false
  #isGone = false
  #isBack = false

  constructor(screen: Screen, whole: Holdings, instructions?: Instructions) {
    this.#screen = screen
    this.#whole = whole
    this.#instructions = instructions
  }

  /** Rows keep the order of cause and effect: what was counted or signed, then what the agent did. */
  agent(event: AgentEvent): void {
    if (this.#awaited !== null) {
      this.#later.push(event)
      return
    }
    this.#tell(event)
    if (event.event === 'result' && event.result.startsWith('{')) {
      if (event.tool === 'waitForStackGone' && !this.#isGone) this.#awaited = 'gone'
      if (event.tool === 'createStack' && !this.#isBack) this.#awaited = 'back'
    }
    if (event.event === 'result' && event.tool === 'waitForReview' && this.#isOpen) {
      this.#awaited = 'closed'
    }
  }

  /** Tells what was kept back for a row that never came. */
  finish(): void {
    for (const event of this.#later) this.#tell(event)
    this.#later = []
  }

  #tell(event: AgentEvent): void {
    switch (event.event) {
      case 'call':
        this.#call(event.tool, event.input)
        return
      case 'result':
        this.#result(event.tool, event.result)
        return
      case 'say':
        this.#screen.step('agent', `says ${quoted(event.text)}`)
    }
  }

  /** Tells what was kept back until `what` had its row. */
  #goOn(what: Awaited): void {
    if (this.#awaited !== what) return
    this.#awaited = null
    const later = this.#later
    this.#later = []
    for (const event of later) this.agent(event)
  }

  probe({ isRight, saw }: Probe): void {
    if (!isRight && !this.#hasFailed) {
      this.#hasFailed = true
      this.#screen.step('customers', `get ${saw} for an answer`)
    }
    this.#screen.mark(isRight)
  }

  gone(left: Holdings): void {
    const { objects, settings } = this.#whole
    const lost = `${objects - left.objects} of ${objects} exports, ${settings - left.settings} of ${settings} settings`
    this.#screen.step('──', `gone: the stack, ${lost}`)
    this.#isGone = true
    this.#goOn('gone')
  }

  back(left: Holdings): void {
    const words =
      left.objects === 0 ? 'the environment is back, and empty' : 'the environment is back'
    this.#screen.step('──', `${words}: ${left.objects} of ${this.#whole.objects} exports`)
    this.#isBack = true
    this.#goOn('back')
  }

  looked(_left: Holdings, afterMs: number): void {
    const seconds = (afterMs / 1_000).toFixed(1)
    this.#screen.step('operator', `restores its copy after ${seconds} s of errors`)
  }

  restored({ objects }: Holdings): void {
    this.#screen.amend('operator', (text) => `${text} → ${objects} back`)
  }

  opened(request: ShownRequest, document: ReviewDocument): void {
    this.#isOpen = true
    this.#screen.amend('agent', (text) => `${text} → held, ${shortId(request)}`)
    const { findings } = document.evidence
    const withData = findings.filter(isLost).length
    const needs = `needs ${request.needs}; not ${OPERATOR}, whose agent it is`
    if (withData > 0) {
      const what = `would destroy ${findings.length} things, ${withData} with data, for good`
      this.#screen.step('gate', what, [...findingRows(findings), needs])
    } else {
      this.#screen.step('gate', 'would change one item, which can be undone', [
        ...changeRows(document),
        needs,
      ])
    }
    this.#instructions?.(request, [])
  }

  reviewed(request: ShownRequest, reviewers: readonly string[]): void {
    const all = `it needs ${request.needs}; so far ${reviewers.join(', ')}`
    this.#screen.step('reviewer', `${reviewers.at(-1)} signs: approve`, [all])
    this.#instructions?.(request, reviewers)
  }

  closed(request: ShownRequest, reviewers: readonly string[]): void {
    this.#isOpen = false
    this.#close(request, reviewers)
    this.#goOn('closed')
  }

  #close(request: ShownRequest, reviewers: readonly string[]): void {
    const who = reviewers.at(-1) ?? 'nobody'
    const said = request.comment ? [quoted(request.comment)] : []
    switch (request.state) {
      case 'approved':
        this.#screen.step('reviewer', `${who} signs: this, once`, said)
        return
      case 'changes_requested':
        this.#screen.step('reviewer', `${who} signs: request changes`, said)
        return
      case 'denied':
        this.#screen.step('reviewer', `${who} signs: deny`, said)
        return
      case 'expired':
      case 'cancelled':
      case 'pending':
        this.#screen.step('gate', `${shortId(request)} is ${request.state}; nothing was done`)
    }
  }

  #call(tool: ToolName, input: ToolInput): void {
    const again = this.#lastCall === JSON.stringify([tool, input])
    const words = callWords(tool, input)
    if (words === null) return
    if (tool !== 'waitForReview') this.#lastCall = JSON.stringify([tool, input])
    if (tool.startsWith('read')) {
      this.#readings.push(words)
      const text = `reads ${this.#readings.join(', ')}`
      if (this.#readings.length === 1) this.#screen.step('agent', text)
      else this.#screen.amend('agent', () => text)
      return
    }
    const reason = input['reason']
    // Why a stack is made again needs no row.
    const isSaid = !again && reason !== undefined && tool !== 'createStack'
    const text = again ? `runs the same ${words.split(' ', 1)[0]} again` : words
    this.#screen.step('agent', text, isSaid ? [quoted(reason)] : [])
  }

  #result(tool: ToolName, result: string): void {
    if (tool === 'updateSetting' && result.startsWith('{')) {
      this.#screen.amend('agent', (text) => `${text} → done`)
    }
    const refused = /^\w+: /.exec(result)?.[0]
    const isHeld = / held this call/.test(result)
    if (refused !== undefined && !isHeld && tool !== 'waitForReview') {
      this.#screen.amend('agent', (text) => `${text} → ${refused.slice(0, -2)}`)
    }
  }
}

function callWords(tool: ToolName, input: ToolInput): string | null {
  switch (tool) {
    case 'readStack':
      return 'the stack'
    case 'readSettings':
      return 'its settings'
    case 'readReport':
      return `the export of ${input['month']}`
    case 'deleteStack':
      return `DeleteStack ${input['stack']}`
    case 'createStack':
      return `CreateStack ${input['stack']}`
    case 'updateSetting':
      return `UpdateItem ${input['month']}: factor = ${input['factor']}`
    case 'waitForStackGone':
    case 'waitForReview':
      return null
  }
}

function findingRows(findings: readonly Finding[]): readonly string[] {
  const shown = findings.slice(0, FINDINGS_MAX)
  const left = findings.length - shown.length
  return [...table(shown.map(findingCells)), ...(left > 0 ? [`… and ${left} more`] : [])]
}

function findingCells({ type, name, holds, lastBackup }: Finding): readonly string[] {
  const backup = lastBackup === 'none' ? 'no backup' : (lastBackup ?? '')
  const title = quotable(`${type} ${name}`)
  return [
    title.length > TITLE_CHARS_MAX ? `${title.slice(0, TITLE_CHARS_MAX - 1)}…` : title,
    holds === null ? 'could not look' : quotable(holds),
    backup === '–' ? '' : backup,
  ]
}

/** The item as it is, beside what it would become. */
function changeRows({ evidence, action }: ReviewDocument): readonly string[] {
  const was = /"factor":\{"S":"([^"]*)"\}/.exec(JSON.stringify(evidence.before ?? null))?.[1]
  const values = JSON.stringify(action.parameters['ExpressionAttributeValues'] ?? null)
  const next = /"S":"([^"]*)"/.exec(values)?.[1]
  const [item] = evidence.findings
  if (item === undefined || was === undefined || next === undefined) return []
  return [quotable(`${item.name}: factor ${was} becomes ${next}`)]
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? '').length), 0),
  )
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function shortId({ requestId }: Pick<ShownRequest, 'requestId'>): string {
  return requestId.slice(0, 6)
}

function quotable(text: string): string {
  return escapeUntrusted(text, QUOTE_CHARS_MAX)
}

function quoted(text: string): string {
  return `"${quotable(text)}"`
}
