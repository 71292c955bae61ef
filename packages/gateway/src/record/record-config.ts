// The part of seconder.yaml about who vouches for the end of the ledger: witnesses that cosign its
// checkpoints, how many must, whether what was reviewed waits for them; and places that keep a checkpoint.
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { isS3Address, S3_ADDRESS, type S3Place } from '../lib/s3-objects.ts'
import type { StateConfig } from '../state/state-config.ts'

type Environ = Readonly<Record<string, string | undefined>>

interface Paths {
  readonly under: (path: string) => string
  readonly environ: Environ
}

const VKEY = z
  .string()
  .max(512)
  .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/, 'write the public key that the witness prints')

const WITNESSES = z
  .strictObject({
    list: z
      .array(z.strictObject({ url: z.url({ protocol: /^https?$/ }).max(2_048), key: VKEY }))
      .min(1)
      .max(20),
    /** How many must have cosigned. */
    threshold: z.number().int().min(1).max(20),
    /** How long one is waited for. */
    timeoutMs: z.number().int().min(100).max(60_000).default(5_000),
    /** An effect that was reviewed waits until its intent is cosigned, or is not begun. */
    required: z.boolean().default(false),
  })
  .refine(({ list, threshold }) => threshold <= list.length, {
    message: 'the threshold is higher than the number of witnesses',
    path: ['threshold'],
  })

const PATH = z.string().min(1).max(4_096)

const S3 = z.strictObject({
  s3: z.string().regex(S3_ADDRESS, 'write s3://BUCKET/PREFIX'),
  region: z.string().max(64).optional(),
  /** Only for what is not AWS. */
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .optional(),
  /** Of the shared AWS files; default: as the SDK finds them. */
  profile: z.string().max(128).optional(),
})

const ANCHORS = z
  .array(
    z.union([
      z.strictObject({ file: PATH }),
      /** A repository that is there; `push` names its remote. */
      z.strictObject({
        git: PATH,
        push: z
          .string()
          .regex(/^[A-Za-z0-9][\w.-]*$/)
          .optional(),
      }),
      S3,
    ]),
  )
  .max(20)

/** Part of the epoch, so that two people sign how long payloads beside the ledger are kept. */
const RETENTION = z.strictObject({ payloadDays: z.number().int().min(1).max(36_500) })

export const RECORD_SECTIONS = {
  witnesses: WITNESSES.optional(),
  anchors: ANCHORS.optional(),
  retention: RETENTION.optional(),
}

export type WitnessConfig = z.infer<typeof WITNESSES>
export type AnchorRow = z.infer<typeof ANCHORS>[number]

export type RetentionConfig = z.infer<typeof RETENTION>

export interface RecordConfig {
  /** Where the files of the ledger are instead of its directory; key and cosignatures stay beside that. */
  readonly ledgerBucket?: S3Place
  /** Absent = nobody outside this machine vouches for the end of the ledger. */
  readonly witnesses?: WitnessConfig | undefined
  /** Where the ledger's checkpoint is published. */
  readonly anchors?: readonly AnchorRow[] | undefined
  /** How old payloads beside the ledger become; absent = they are kept. */
  readonly retention?: RetentionConfig | undefined
}

/** Where the AWS SDK would send what is for S3; undefined for AWS itself. */
export function s3Endpoint(environ: Environ): string | undefined {
  return environ['AWS_ENDPOINT_URL_S3'] ?? environ['AWS_ENDPOINT_URL']
}

/** What is beside the files of a ledger in a bucket: its key, and what witnesses cosigned. */
const BESIDE_BUCKET = '.seconder/ledger'

/** Where the ledger is. Errors: `invalid_config` for a bucket without a database that orders its entries. */
export function ledgerPlace(
  text: string,
  { under, environ, state }: { readonly state: StateConfig } & Paths,
): { readonly ledgerDirectory: string; readonly ledgerBucket?: S3Place } {
  if (!text.startsWith('s3:')) return { ledgerDirectory: under(text) }
  const wrong = (why: string, help: string) => new GatewayError('invalid_config', why, help)
  if (!isS3Address(text))
    throw wrong(`\`${text}\` is no bucket`, 'write ledger: s3://BUCKET/PREFIX')
  if (!state.database) {
    throw wrong(
      'a ledger in a bucket needs `state: postgres://...`, whose order of entries is durable at once',
      'with a state in a file keep the ledger in a directory, and name the bucket in `anchors:`',
    )
  }
  const ledgerBucket = { address: text, endpoint: s3Endpoint(environ) }
  return { ledgerDirectory: under(BESIDE_BUCKET), ledgerBucket }
}

/** As the gate uses it: paths are absolute. */
export function recordConfig(
  { witnesses, anchors, retention }: RecordConfig,
  { under, environ }: Paths,
): RecordConfig {
  const placed = anchors?.map((row): AnchorRow => {
    if ('s3' in row) return { ...row, endpoint: row.endpoint ?? s3Endpoint(environ) }
    return 'file' in row ? { file: under(row.file) } : { ...row, git: under(row.git) }
  })
  return {
    ...(witnesses && { witnesses }),
    ...(placed && { anchors: placed }),
    ...(retention && { retention }),
  }
}

/** What an epoch demands: so many of these keys, within that time. */
export interface WitnessDemand {
  readonly threshold: number
  readonly timeoutMs: number
  readonly keys: readonly string[]
}

/** For the epoch's content; nothing where it is not demanded, so that its version stays what it was. */
export function witnessDemand({ witnesses }: RecordConfig): { witnessed?: WitnessDemand } {
  if (!witnesses?.required) return {}
  const { threshold, timeoutMs, list } = witnesses
  return { witnessed: { threshold, timeoutMs, keys: list.map(({ key }) => key) } }
}
