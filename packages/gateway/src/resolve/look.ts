// One action's look-ups: it sends reads within a deadline, a budget and a concurrency, stops for good
// at the first throttling answer, and keeps the sentences of what was not learned. It throws nothing
// but `not_a_read`, and lets no word of the upstream's out.
import type { Json, JsonObject } from '@seconder/aws/call'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { errorCodeOfXml, readXml, type XmlTree } from './answer-xml.ts'
import { asObject, textAt } from './member.ts'
import { assertRead, isSendable } from './read-call.ts'
import { NotLooked, type Upstream, type UpstreamAnswer, type UpstreamCall } from './upstream.ts'

/** Most look-ups that one action may cause; redteam M6: look-ups must not become a flood. */
export const MAX_LOOKUPS = 600
/** Most look-ups under way at once. */
export const MAX_CONCURRENT = 8
/** Most bytes of one answer that are read. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** Most different sentences kept of what could not be learned. */
export const MAX_SENTENCES = 50

/** Why something was not learned. A closed list: the upstream's own words never appear. */
export type Why =
  | 'access denied'
  | 'throttled'
  | 'deadline'
  | 'no answer'
  | 'unreadable'
  | 'refused'
  | 'unaskable'
  | 'budget'

export const WORDS: Readonly<Record<Why, string>> = {
  'access denied': 'the role of this session may not look',
  throttled: 'AWS asked for fewer calls, so looking stopped',
  deadline: 'there was no answer in time',
  'no answer': 'the upstream could not be reached',
  unreadable: 'the answer could not be read',
  refused: 'the upstream refused the look-up',
  unaskable: 'its name is none that AWS could be asked about',
  budget: 'the limit of look-ups was reached',
}

export type Looked<T> =
  | { readonly found: 'yes'; readonly value: T }
  /** The upstream says that there is no such thing. */
  | { readonly found: 'no' }
  | { readonly found: 'unknown'; readonly why: Why }

// What the AWS SDKs take for throttling. Source: smithy-typescript
// packages/service-error-classification/src/constants.ts, THROTTLING_ERROR_CODES (main, 2025-06).
const THROTTLING = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])

const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AllAccessDisabled',
  'NotAuthorized',
  'UnauthorizedOperation',
])

type Sent =
  | { readonly kind: 'answer'; readonly answer: UpstreamAnswer }
  | { readonly kind: 'nothing'; readonly why: Why }

export class Look {
  readonly #upstream: Upstream
  readonly #expired: Promise<Sent>
  readonly #timer: NodeJS.Timeout
  readonly #waiting: (() => void)[] = []
  readonly #sentences = new Set<string>()
  #stopped: Why | null = null
  #asked = 0
  #underWay = 0

  constructor(upstream: Upstream, deadlineMs: number) {
    this.#upstream = upstream
    const { promise, resolve } = Promise.withResolvers<Sent>()
    this.#expired = promise
    this.#timer = setTimeout(() => {
      this.#stopped ??= 'deadline'
      resolve({ kind: 'nothing', why: 'deadline' })
    }, deadlineMs)
  }

  /** Ends the deadline's timer. What is still under way is left to end by itself, unread. */
  close(): void {
    clearTimeout(this.#timer)
    this.#stopped ??= 'deadline'
  }

  /** Why nothing more is sent; null while there is time and room. */
  get stopped(): Why | null {
    return this.#stopped
  }

  /** What could not be learned, in the order of the alphabet, so that a re-run reads the same. */
  sentences(): string[] {
    return [...this.#sentences].sort()
  }

  /** Keeps one sentence; past the limit one sentence says that there are more. */
  missed(sentence: string): void {
    if (this.#sentences.size < MAX_SENTENCES) this.#sentences.add(sentence)
    else this.#sentences.add('more could not be looked up than is listed here')
  }

  /** Keeps `could not read <what>: <why>`, and gives the coarse reason that may enter a digest. */
  missedBecause(what: string, why: Why): { readonly unread: string } {
    this.missed(`could not read ${what}: ${WORDS[why]}`)
    return { unread: why === 'access denied' ? 'access denied' : 'no answer' }
  }

  /** An awsJson answer; `absentCodes` are the error codes that mean there is no such thing. */
  async json(call: UpstreamCall, absentCodes: readonly string[]): Promise<Looked<JsonObject>> {
    const sent = await this.#ask(call, codeOfJson)
    if (sent.kind === 'nothing') return { found: 'unknown', why: sent.why }
    if (sent.answer.status === 200) {
      const value = asObject(readJson(sent.answer.body))
      return value === null ? { found: 'unknown', why: 'unreadable' } : { found: 'yes', value }
    }
    return refusal(sent.answer, codeOfJson(sent.answer), absentCodes)
  }

  /** An XML answer; `absentCodes` as above. */
  async xml(call: UpstreamCall, absentCodes: readonly string[]): Promise<Looked<XmlTree>> {
    const sent = await this.#ask(call, codeOfXml)
    if (sent.kind === 'nothing') return { found: 'unknown', why: sent.why }
    if (sent.answer.status === 200) {
      const value = readXml(sent.answer.body)
      return value === null ? { found: 'unknown', why: 'unreadable' } : { found: 'yes', value }
    }
    return refusal(sent.answer, codeOfXml(sent.answer), absentCodes)
  }

  /** A HEAD answer: its headers under lower-case names. 404 means there is no such thing. */
  async head(call: UpstreamCall): Promise<Looked<ReadonlyMap<string, string>>> {
    const sent = await this.#ask(call, () => null)
    if (sent.kind === 'nothing') return { found: 'unknown', why: sent.why }
    if (sent.answer.status === 404) return { found: 'no' }
    if (sent.answer.status !== 200) return refusal(sent.answer, null, [])
    const headers = Object.entries(sent.answer.headers)
    return { found: 'yes', value: new Map(headers.map(([k, v]) => [k.toLowerCase(), v])) }
  }

  async #ask(call: UpstreamCall, codeOf: (answer: UpstreamAnswer) => string | null): Promise<Sent> {
    if (!isSendable(call)) return { kind: 'nothing', why: 'unaskable' }
    assertRead(call)
    await this.#turn()
    try {
      if (this.#stopped !== null) return { kind: 'nothing', why: this.#stopped }
      if (this.#asked >= MAX_LOOKUPS) return { kind: 'nothing', why: 'budget' }
      this.#asked += 1
      const sent = await Promise.race([this.#send(call), this.#expired])
      if (sent.kind === 'answer' && isThrottling(sent.answer, codeOf)) {
        this.#stopped ??= 'throttled'
        this.#upstream.throttled?.(call)
        return { kind: 'nothing', why: 'throttled' }
      }
      return sent
    } finally {
      this.#underWay -= 1
      this.#waiting.shift()?.()
    }
  }

  async #send(call: UpstreamCall): Promise<Sent> {
    try {
      const answer = await this.#upstream.send(call)
      if (answer.body.byteLength > MAX_ANSWER_BYTES) return { kind: 'nothing', why: 'unreadable' }
      return { kind: 'answer', answer }
    } catch (cause) {
      if (cause instanceof NotLooked) {
        this.#stopped ??= cause.why
        return { kind: 'nothing', why: cause.why }
      }
      // Whatever the transport says may hold a host, a token or a body: only its class is kept.
      return { kind: 'nothing', why: 'no answer' }
    }
  }

  async #turn(): Promise<void> {
    while (this.#underWay >= MAX_CONCURRENT) {
      await new Promise<void>((resume) => this.#waiting.push(resume))
    }
    this.#underWay += 1
  }
}

function refusal(
  answer: UpstreamAnswer,
  code: string | null,
  absentCodes: readonly string[],
): { found: 'no' } | { found: 'unknown'; why: Why } {
  if (code !== null && absentCodes.includes(code)) return { found: 'no' }
  const denied = answer.status === 401 || answer.status === 403 || DENIED.has(code ?? '')
  return { found: 'unknown', why: denied ? 'access denied' : 'refused' }
}

function isThrottling(
  answer: UpstreamAnswer,
  codeOf: (answer: UpstreamAnswer) => string | null,
): boolean {
  if (answer.status < 400) return false
  // 503 is S3's SlowDown; a HEAD answer has no body to say so.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  if (answer.status === 429 || answer.status === 503) return true
  return THROTTLING.has(codeOf(answer) ?? '')
}

function readJson(body: Uint8Array): Json {
  try {
    return parseStrictJson(body, { maxBytes: MAX_ANSWER_BYTES })
  } catch (error) {
    if (error instanceof StrictJsonError) return null
    throw error
  }
}

/** `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException` is a ResourceNotFoundException. */
function codeOfJson(answer: UpstreamAnswer): string | null {
  const body = asObject(readJson(answer.body))
  const named = Object.entries(answer.headers).find(
    ([name]) => name.toLowerCase() === 'x-amzn-errortype',
  )?.[1]
  // REST services name the error in a header, which may go on after a colon.
  // https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
  const type = textAt(body, '__type') ?? named?.split(':', 1)[0] ?? textAt(body, 'code')
  return type === null ? null : type.slice(type.lastIndexOf('#') + 1)
}

function codeOfXml(answer: UpstreamAnswer): string | null {
  const tree = readXml(answer.body)
  return tree === null ? null : errorCodeOfXml(tree)
}
