// Drives a real gate with mutants, in process: what the AWS door hands to the path, without the sockets.
// Each answer, each entry and each forwarded request is held against the mutant it belongs to.
import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import { headerValues, type WireRequest } from '@seconder/aws/wire-request'
import type { Received, Reply } from '@seconder/gateway/receive/received'
import { NO_SPAN } from '@seconder/gateway/telemetry/call-span'
import type { FakeUpstream } from '../fakes/upstream.ts'
import type { Harness, Keys } from '../path/harness.ts'
import { type Mutant, mutant, TAG } from './mutations.ts'
import { randomOf } from './random.ts'
import { problemsOf, type ReadEntry } from './upstream-reader.ts'

export interface Counts {
  mutants: number
  /** Too odd for one HTTP/1.1 message. */
  unsendable: number
  forwarded: number
  held: number
  readonly answers: Map<string, number>
  readonly findings: string[]
}

export const noCounts = (): Counts => ({
  mutants: 0,
  unsendable: 0,
  forwarded: 0,
  held: 0,
  answers: new Map(),
  findings: [],
})

const REPLY_BYTES_MAX = 64 * 1024
const AT_ONCE = 32
/** Further findings of one run are mostly the same one. */
const FINDINGS_MAX = 20
const NEVER_GONE = new AbortController().signal

const isIntent = (entry: Record<string, unknown>) => entry['type'] === 'intent'

interface Recorded {
  readonly entries: Record<string, unknown>[]
}

export class Torture {
  readonly #gate: Harness
  readonly #keys: readonly Keys[]
  readonly #seed: number
  readonly #story = new AsyncLocalStorage<Recorded>()
  readonly #upstream: FakeUpstream

  /** Several sessions share the work, so that none of them is full of open requests all the time. */
  constructor(gate: Harness, upstream: FakeUpstream, keys: readonly Keys[], seed: number) {
    this.#gate = gate
    this.#upstream = upstream
    this.#keys = keys
    this.#seed = seed
    const { recorder } = gate.running.gate
    const record = recorder.record.bind(recorder)
    recorder.record = (entry) => {
      this.#story.getStore()?.entries.push(entry as unknown as Record<string, unknown>)
      return record(entry)
    }
  }

  /** Runs the mutants from one number up to another, without it. */
  async run(from: number, to: number, counts: Counts): Promise<void> {
    let next = from
    const worker = async () => {
      while (next < to && counts.findings.length < FINDINGS_MAX) await this.#one(next++, counts)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }

  async #one(index: number, counts: Counts): Promise<void> {
    const keys = this.#keys[index % this.#keys.length] as Keys
    const tag = `${this.#seed}-${index}`
    counts.mutants++
    const made = mutant(keys, randomOf(this.#seed, index), tag, Date.now())
    if (made === null || !isOneMessage(made)) {
      counts.unsendable++
      return
    }
    const recorded: Recorded = { entries: [] }
    try {
      const reply = await this.#story.run(recorded, () =>
        this.#gate.running.gate.gateway.handle(received(made)),
      )
      const problems = await this.#problems(tag, made, reply, recorded, counts)
      if (problems.length > 0) counts.findings.push(words(index, made, problems))
    } catch (cause) {
      counts.findings.push(words(index, made, [`it was thrown: ${String((cause as Error).stack)}`]))
    }
  }

  /** The one effect that needs no review: a multipart upload is reviewed when it is completed (red team C8). */
  #beganEffect(tag: string, entries: Recorded['entries'], counts: Counts): string[] {
    const arrived = this.#taken(tag)
    counts.forwarded += arrived.length
    const operations = entries.filter(isIntent).map((entry) => entry['operation'])
    const isBegun = ({ method, target, body }: WireRequest) =>
      method === 'POST' && /^\/[^/?]+\/[^?]+\?uploads=?$/.test(target) && body.byteLength === 0
    const isOne = operations.join() === 's3:CreateMultipartUpload' && arrived.length === 1
    return isOne && arrived.every(isBegun) ? [] : [`an effect began: ${operations.join()}`]
  }

  async #problems(
    tag: string,
    { request }: Mutant,
    reply: Reply,
    { entries }: Recorded,
    counts: Counts,
  ): Promise<string[]> {
    const problems: string[] = []
    const bodyBytes = await sizeOf(reply)
    const types = entries.map(({ type }) => type)
    const name = `${reply.status} ${types.join('+')}`
    counts.answers.set(name, (counts.answers.get(name) ?? 0) + 1)
    if (bodyBytes > REPLY_BYTES_MAX) problems.push(`an answer of ${bodyBytes} bytes`)
    if (!(reply.status >= 200 && reply.status < 500)) problems.push(`status ${reply.status}`)
    if (entries.some(({ code }) => code === 'internal')) problems.push('an error that nobody named')
    if (types.includes('intent')) return this.#beganEffect(tag, entries, counts)
    if (types.includes('request-opened')) counts.held++
    const arrived = this.#taken(tag)
    counts.forwarded += arrived.length
    const reads = entries.filter(({ type }) => type === 'read')
    // A read that the upstream did not take in time is recorded and answered as a failure.
    const isShort = reply.status < 400 && arrived.length < reads.length
    if (isShort || arrived.length > reads.length)
      problems.push(`status ${reply.status}: ${arrived.length} forwarded, ${reads.length} recorded`)
    for (const each of arrived)
      problems.push(...problemsOf(each, reads[0] as ReadEntry | undefined))
    if (arrived.length > 0 && headerValues(request, TAG).length !== 1) problems.push('two tags')
    return problems
  }

  /** What arrived upstream of this mutant; look-ups of the gate's own carry no tag. */
  #taken(tag: string) {
    const { seen } = this.#upstream
    const arrived = seen.filter(({ request }) => headerValues(request, TAG)[0] === tag)
    for (let at = seen.length - 1; at >= 0; at--) {
      const one = seen[at]?.request
      const value = one && headerValues(one, TAG)[0]
      if (value === undefined || value === tag) seen.splice(at, 1)
    }
    return arrived.map(({ request }) => request)
  }
}

/** What Node's HTTP parser lets through: the door never sees anything else. */
function isOneMessage({ request: { method, target, headers } }: Mutant): boolean {
  if (!http.METHODS.includes(method) || !/^[!-~\x80-\xff]+$/.test(target)) return false
  return headers.every(
    ([name, value]) =>
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t -~\x80-\xff]*$/.test(value),
  )
}

function received({ request }: Mutant): Received {
  // White space around a value is not part of it, and no reader of HTTP gives it on: RFC 9110 section 5.5.
  const headers = request.headers.map(
    ([name, value]) => [name, value.replace(/^[\t ]+|[\t ]+$/g, '')] as const,
  )
  return {
    request: { ...request, headers },
    isolation: async () => 'none',
    peer: async () => null,
    named: null,
    label: '',
    clientConnected: () => true,
    gone: NEVER_GONE,
    admittedAtMs: null,
    leave: null,
    span: NO_SPAN,
    release: async () => undefined,
  }
}

async function sizeOf({ body }: Reply): Promise<number> {
  if (body instanceof Uint8Array) return body.byteLength
  let bytes = 0
  for await (const chunk of body) bytes += chunk.byteLength
  return bytes
}

function words(index: number, { kinds, request }: Mutant, problems: readonly string[]): string {
  const head = JSON.stringify([request.method, request.target, request.headers])
  const body = JSON.stringify(Buffer.from(request.body).toString('latin1').slice(0, 2_000))
  return `mutant ${index} (${kinds.join(', ')}): ${problems.join('; ')}\n  ${head}\n  ${body}`
}
