// Parameters of the query protocol (CloudFormation, STS): one flat form, where lists are
// `Name.member.1`. Every parameter must be read by the operation; what is left over is an error.
// Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
import type { CloudRequest } from './cloud-request.ts'
import { CloudError } from './errors.ts'

export const PARAMETERS_MAX = 2000

export class QueryInput {
  readonly #values: ReadonlyMap<string, string>
  readonly #unread: Set<string>

  private constructor(values: ReadonlyMap<string, string>) {
    this.#values = values
    this.#unread = new Set(values.keys())
  }

  /** InvalidAction where there is not exactly one reading of the form. */
  static of(request: CloudRequest): QueryInput {
    const pairs = [...request.query]
    if (request.method === 'POST') {
      const type = request.headers.get('content-type') ?? ''
      if (!/^application\/x-www-form-urlencoded(?:;|$)/.test(type) || pairs.length > 0) {
        throw new CloudError('InvalidAction', 'the request is not a form')
      }
      const form = new URLSearchParams(Buffer.from(request.content).toString('utf8'))
      pairs.push(...form)
    }
    const values = new Map(pairs)
    if (values.size !== pairs.length || values.size > PARAMETERS_MAX || request.path !== '/') {
      throw new CloudError('InvalidAction', 'the request has more than one reading')
    }
    return new QueryInput(values)
  }

  optional(name: string): string | undefined {
    this.#unread.delete(name)
    return this.#values.get(name)
  }

  required(name: string): string {
    const value = this.optional(name)
    if (value !== undefined && value !== '') return value
    throw new CloudError('ValidationError', `The request must contain the parameter ${name}`)
  }

  boolean(name: string): boolean | undefined {
    const value = this.optional(name)
    if (value === undefined) return undefined
    if (value === 'true' || value === 'false') return value === 'true'
    throw new CloudError('ValidationError', `${name} must be true or false`)
  }

  /** A list without members travels as an empty parameter of its bare name. */
  #readEmptyList(name: string): void {
    if (this.#values.get(name) === '') this.#unread.delete(name)
  }

  /** `Name.member.1`, `Name.member.2`, ... in order. */
  list(name: string): string[] {
    this.#readEmptyList(name)
    const items: string[] = []
    for (let index = 1; this.#values.has(`${name}.member.${index}`); index += 1) {
      items.push(this.optional(`${name}.member.${index}`) ?? '')
    }
    return items
  }

  /** `Name.member.1.Key` and `Name.member.1.Value` under the given member names. */
  pairs(name: string, key: string, value: string): Map<string, string> {
    this.#readEmptyList(name)
    const pairs = new Map<string, string>()
    for (let index = 1; this.#values.has(`${name}.member.${index}.${key}`); index += 1) {
      const prefix = `${name}.member.${index}`
      pairs.set(this.required(`${prefix}.${key}`), this.optional(`${prefix}.${value}`) ?? '')
    }
    return pairs
  }

  /** Each `Name.member.N` as its prefix, in order; what is in it is the caller's to read. */
  prefixes(name: string): string[] {
    this.#readEmptyList(name)
    const prefixes: string[] = []
    for (;;) {
      const prefix = `${name}.member.${prefixes.length + 1}.`
      if (![...this.#values.keys()].some((key) => key.startsWith(prefix))) return prefixes
      prefixes.push(prefix.slice(0, -1))
    }
  }

  /** ValidationError for a parameter nobody read: it would have been ignored. */
  done(): void {
    const [first] = this.#unread
    if (first === undefined) return
    throw new CloudError('ValidationError', `the lab's cloud does not implement \`${first}\``)
  }
}
