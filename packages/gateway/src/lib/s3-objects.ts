// A bucket of S3, or of what speaks its protocol, as a place of named bytes: written only where nothing is, or where
// what was read still is. The AWS SDK finds its own credentials, and is loaded where an address says s3:// alone.
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'

/** How long a connection and an answer are waited for, in milliseconds. */
const CONNECT_MS = 5_000
const ANSWER_MS = 15_000
const ATTEMPTS_MAX = 3
/** Objects of one listing. */
const LISTED_MAX = 1_000

export const S3_ADDRESS =
  /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9!_.*'()/-]{0,512}))?$/

/** Where a bucket is and how it is reached; region and profile that are absent are as the SDK's environment says. */
export interface S3Place {
  /** `s3://BUCKET/PREFIX` */
  readonly address: string
  readonly region?: string | undefined
  /** Only for what is not AWS: buckets are then part of the path. */
  readonly endpoint?: string | undefined
  /** Of the shared AWS files. */
  readonly profile?: string | undefined
}

export interface StoredObject {
  readonly bytes: Uint8Array
  readonly etag: string
}

/** `S3Error` names what S3 answered, by its own code; nothing of what was sent. */
export class S3Error extends Error {
  readonly code: string

  constructor(doing: string, code: string, options?: ErrorOptions) {
    super(`${doing}: ${code}`, options)
    this.name = 'S3Error'
    this.code = code
  }
}

export function isS3Address(text: string): boolean {
  return S3_ADDRESS.test(text)
}

/** Names below the prefix of an address. Every method throws S3Error where S3 does not answer as it should. */
export class S3Objects {
  readonly address: string
  readonly #place: S3Place
  readonly #bucket: string
  readonly #prefix: string
  #client: Promise<S3Client> | undefined

  /** Throws S3Error `InvalidAddress`. */
  constructor(place: S3Place) {
    const [, bucket, path = ''] = S3_ADDRESS.exec(place.address) ?? []
    if (bucket === undefined) throw new S3Error('write s3://BUCKET/PREFIX', 'InvalidAddress')
    const prefix = path.replace(/\/+$/, '')
    this.#place = place
    this.#bucket = bucket
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.address = `s3://${bucket}/${this.#prefix}`
  }

  /** The object, or null where there is none; `InvalidObject` where it is larger than `bytesMax`. */
  async get(name: string, bytesMax: number): Promise<StoredObject | null> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3')
    const client = await this.#connected()
    const doing = `reading ${this.address}${name}`
    try {
      const found = await client.send(new GetObjectCommand(this.#named(name)))
      const { Body, ETag = '', ContentLength = 0 } = found
      if (Body === undefined || ContentLength > bytesMax || ETag === '') {
        await Body?.transformToWebStream().cancel()
        throw new S3Error(doing, 'InvalidObject')
      }
      return { bytes: await Body.transformToByteArray(), etag: ETag }
    } catch (cause) {
      if (codeOf(cause) === 'NoSuchKey') return null
      throw failed(doing, cause)
    }
  }

  /**
   * Writes where nothing is. False where something is there by now, which an answer that was lost on the way may
   * mean too: whoever asks looks what it is.
   * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
   */
  putNew(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#put(name, bytes, { IfNoneMatch: '*' })
  }

  /** Writes where the object with this ETag still is; as `putNew`. */
  replace(name: string, bytes: Uint8Array, etag: string): Promise<boolean> {
    return this.#put(name, bytes, { IfMatch: etag })
  }

  async #put(
    name: string,
    bytes: Uint8Array,
    condition: { readonly IfNoneMatch: string } | { readonly IfMatch: string },
  ): Promise<boolean> {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3')
    const client = await this.#connected()
    const put = { ...this.#named(name), ...condition, Body: bytes }
    try {
      await client.send(new PutObjectCommand(put))
      return true
    } catch (cause) {
      if (CONDITION_FAILED.has(codeOf(cause))) return false
      throw failed(`writing ${this.address}${name}`, cause)
    }
  }

  async remove(name: string): Promise<void> {
    const { DeleteObjectCommand } = await import('@aws-sdk/client-s3')
    const client = await this.#connected()
    try {
      await client.send(new DeleteObjectCommand(this.#named(name)))
    } catch (cause) {
      throw failed(`removing ${this.address}${name}`, cause)
    }
  }

  /** Names after `after` that begin with `prefix`, in S3's order of their bytes, at most `limit`. */
  async *names(prefix: string, after = '', limit = Number.MAX_SAFE_INTEGER) {
    const { ListObjectsV2Command } = await import('@aws-sdk/client-s3')
    const client = await this.#connected()
    let token: string | undefined
    let left = limit
    do {
      const page = await client
        .send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: `${this.#prefix}${prefix}`,
            MaxKeys: Math.min(left, LISTED_MAX),
            ...(token === undefined
              ? after !== '' && { StartAfter: `${this.#prefix}${after}` }
              : { ContinuationToken: token }),
          }),
        )
        .catch((cause: unknown) => {
          throw failed(`listing ${this.address}${prefix}`, cause)
        })
      for (const { Key = '' } of page.Contents ?? []) {
        if (left-- > 0) yield Key.slice(this.#prefix.length)
      }
      token = page.NextContinuationToken
    } while (token !== undefined && left > 0)
  }

  #named(name: string) {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${name}` }
  }

  #connected(): Promise<S3Client> {
    this.#client ??= connected(this.#place)
    return this.#client
  }

  async close(): Promise<void> {
    const client = await this.#client
    client?.destroy()
  }
}

/** 409 is a race that another writer may have won. */
const CONDITION_FAILED = new Set(['PreconditionFailed', 'ConditionalRequestConflict'])

async function connected({ region, endpoint, profile }: S3Place): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const requestHandler = { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS }
  const config: S3ClientConfig = { maxAttempts: ATTEMPTS_MAX, requestHandler }
  if (region !== undefined) config.region = region
  if (profile !== undefined) config.profile = profile
  // What is not AWS seldom has a host name for each bucket.
  if (endpoint !== undefined) Object.assign(config, { endpoint, forcePathStyle: true })
  return new S3Client(config)
}

function codeOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : 'Unknown'
}

/** The name of the error alone: its message may hold what was sent. */
function failed(doing: string, cause: unknown): S3Error {
  return cause instanceof S3Error ? cause : new S3Error(doing, codeOf(cause), { cause })
}
