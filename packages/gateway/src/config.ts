// Makes a Config from seconder.yaml and the SECONDER_* variables. The only file of the gateway that
// reads the environment. Every mistake is named with its line; nothing missing is defaulted to allow.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve as resolvePath } from 'node:path'
import { isMap, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { GatewayError } from './errors.ts'
import { TOTAL_TIMEOUT_MS } from './execute/exchange.ts'
import { Secret } from './lib/secret.ts'
import { LIMITS, type LimitsConfig } from './limits-config.ts'
import { type Address, LISTEN, loopback } from './listen-address.ts'
import { NOTIFY, type NotifyConfig, notifyConfig } from './notify/notify-config.ts'
import { NAME, PEOPLE_SECTIONS, type PeopleConfig, peopleConfig } from './people/people-config.ts'
import { BODY_BYTES_MAX, BODY_TIMES } from './receive/body.ts'
import { SPOOL_DEFAULTS, SPOOLED_BODY_BYTES_MAX, type SpoolLimits } from './receive/spool.ts'
import {
  ledgerPlace,
  RECORD_SECTIONS,
  type RecordConfig,
  recordConfig,
} from './record/record-config.ts'
import type { ConfigFile } from './reload.ts'
import { ESCALATE, REVIEW } from './review/review-config.ts'
import { LOCAL, STATE, type StateConfig, stateConfig } from './state/state-config.ts'
import {
  TELEMETRY_SECTIONS,
  type TelemetryConfig,
  telemetryConfig,
} from './telemetry/telemetry-config.ts'

/** What all large bodies together may be given of a disk, whatever the file says: 1 TiB. */
const UPLOADS_BYTES_MAX = 1024 ** 4

const ACCOUNT = z.string().regex(/^\d{12}$/, 'an account is 12 digits, in quotes')

const ENVIRONMENT = z.strictObject({
  name: NAME,
  accounts: z.array(ACCOUNT).min(1),
  /** ARN patterns (`*`, `?`); without them the whole account. */
  arns: z.array(z.string().min(1)).optional(),
  mode: z.enum(['enforce', 'observe']).default('enforce'),
  /** While it observes: only sessions under these roles, the others are enforced; absent = all of them. */
  observeRoles: z.array(NAME).min(1).optional(),
  escalate: ESCALATE.optional(),
})

const ROLE = z.strictObject({
  arn: z
    .string()
    .regex(/^arn:[a-z-]+:iam::\d{12}:role\/.+$/, 'write arn:aws:iam::ACCOUNT:role/NAME'),
  environments: z.array(NAME).optional(),
})

const SCHEMA = z.strictObject({
  listen: z
    .strictObject({
      aws: LISTEN.default('127.0.0.1:8787'),
      console: LISTEN.default('127.0.0.1:8788'),
    })
    .prefault({}),
  ...PEOPLE_SECTIONS,
  state: STATE,
  local: LOCAL,
  ledger: z.string().default('.seconder/ledger'),
  policies: z.string().optional(),
  /** JSON file of the environments that each role reaches (red team H8). */
  roleReach: z.string().min(1).optional(),
  upstream: z.strictObject({
    aws: z.strictObject({
      endpoint: z
        .string()
        .regex(/^https?:\/\/[^/]+\/?$/, 'write http://HOST:PORT')
        .optional(),
      credentials: z
        .string()
        .regex(
          /^(environment|web-identity|instance|profile:[^\s[\]]{1,128})$/,
          'write environment, profile:NAME, web-identity or instance',
        )
        .default('environment'),
      assumeRole: z.boolean().optional(),
      region: z
        .string()
        .regex(/^[a-z]{2,3}(-[a-z]+)+-\d$/, 'write a region such as eu-west-1')
        .optional(),
      /** How long an upstream may be silent. */
      timeoutMs: z.number().int().min(100).max(900_000).default(120_000),
      /** How long one call may take in all. */
      totalTimeoutMs: z.number().int().min(1_000).max(43_200_000).default(TOTAL_TIMEOUT_MS),
    }),
  }),
  /** Bodies over 16 MiB, which are held on the disk beside the state. */
  uploads: z
    .strictObject({
      bodyBytesMax: z
        .number()
        .int()
        .min(BODY_BYTES_MAX)
        .max(SPOOLED_BODY_BYTES_MAX)
        .default(SPOOL_DEFAULTS.bodyBytesMax),
      totalBytesMax: z
        .number()
        .int()
        .min(BODY_BYTES_MAX)
        .max(UPLOADS_BYTES_MAX)
        .default(SPOOL_DEFAULTS.totalBytesMax),
      freeBytesMin: z
        .number()
        .int()
        .min(0)
        .max(UPLOADS_BYTES_MAX)
        .default(SPOOL_DEFAULTS.freeBytesMin),
      idleMs: z.number().int().min(1_000).max(600_000).default(BODY_TIMES.idleMs),
    })
    .prefault({}),
  environments: z.array(ENVIRONMENT).max(1_000).default([]),
  roles: z.record(NAME, ROLE),
  /** ARNs or patterns of what the gate stands on, beside what it knows itself (red team M13). */
  protect: z
    .array(
      z
        .string()
        .max(2_048)
        .regex(
          /^arn:[a-z*-]+:[a-z0-9-]+:[a-z0-9*-]*:(\d{12}|\*)?:[^\s].*$/,
          'write an ARN such as arn:aws:kms:eu-west-1:123456789012:key/ID; `*` only after the service',
        ),
    )
    .max(200)
    .default([]),
  /** Accounts that are not the operator's own and may be dealt with like them (red team M8). */
  trustedAccounts: z.array(ACCOUNT).max(100).default([]),
  review: REVIEW,
  notify: NOTIFY.optional(),
  ...RECORD_SECTIONS,
  ...TELEMETRY_SECTIONS,
  limits: LIMITS,
  follow: z
    .strictObject({
      firstMs: z.number().int().min(100).max(60_000).default(2_000),
      pauseMaxMs: z.number().int().min(1_000).max(600_000).default(60_000),
      forMs: z.number().int().min(1_000).max(86_400_000).default(1_800_000),
    })
    .optional(),
})

export type EnvironmentRow = z.infer<typeof ENVIRONMENT>
export interface RoleRow {
  readonly arn: string
  readonly environments?: readonly string[] | undefined
}

export type { Address }

export interface Config extends PeopleConfig, StateConfig, RecordConfig, TelemetryConfig {
  /** Absolute path of the file that all this was read from; absent where it was put together in memory. */
  readonly configPath?: string
  /** That file; absent as `configPath`. */
  readonly file?: ConfigFile
  readonly listen: { readonly aws: Address; readonly console: Address }
  readonly ledgerDirectory: string
  /** Absolute folder of the policies; the set shipped with Seconder when the file names none. */
  readonly policiesDirectory: string
  /** Absolute path of the file of role reaches; without one every role counts as production. */
  readonly roleReachPath?: string
  readonly upstream: {
    /** Only for emulators; null = real AWS, hosts from the endpoint table. */
    readonly endpoint: string | null
    readonly timeoutMs: number
    /** Absent = TOTAL_TIMEOUT_MS. */
    readonly totalTimeoutMs?: number
    /** The gate's own identity: the keys themselves, or where they come from. */
    readonly credentials: UpstreamCredentials | CredentialOrigin
    /** Whether each call goes out under the session's own role, narrowed; absent = only real AWS. */
    readonly assumeRole?: boolean
    /** Region of the STS endpoint; absent = that of the partition of the role. */
    readonly region?: string
  }
  readonly environments: readonly EnvironmentRow[]
  readonly roles: Readonly<Record<string, RoleRow>>
  /** ARNs and patterns of what the gate stands on, beside what it knows itself. */
  readonly protect?: readonly string[]
  /** Accounts that are not the operator's own and may be dealt with like them. */
  readonly trustedAccounts?: readonly string[]
  /** Limits of bodies on the disk; absent = the defaults. */
  readonly uploads?: UploadLimits
  readonly review: {
    readonly holdMs: number
    readonly expiresInMs: number
    readonly grantExpiresInMs: number
    /** Absent = 30 minutes. */
    readonly planWindowMs?: number
    readonly breakGlass?: boolean
  }
  /** Whom requests are told to; absent = nobody. */
  readonly notify?: NotifyConfig
  /** How long a stopping gate waits for the calls that it began, in milliseconds; absent = DRAIN_MS of listeners.ts. */
  readonly drainMs?: number
  /** How often one session may do something; absent = LIMITS_DEFAULT. */
  readonly limits?: LimitsConfig
  /** How what AWS accepted is followed to its end; absent = FOLLOW_LIMITS of path/following.ts. */
  readonly follow?: {
    readonly firstMs: number
    readonly pauseMaxMs: number
    readonly forMs: number
  }
}

export interface UploadLimits extends SpoolLimits {
  /** How long a client may send nothing of its body. */
  readonly idleMs: number
}

export interface UpstreamCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken: Secret | null
}

/** Where the gate's own identity comes from, with what its environment says about it. */
export type CredentialOrigin =
  | {
      readonly from: 'profile'
      readonly name: string
      readonly credentialsFile: string
      readonly configFile: string
    }
  | {
      readonly from: 'web-identity'
      readonly tokenFile: string
      readonly roleArn: string
      readonly sessionName: string | null
    }
  | { readonly from: 'instance' }

export type Environ = Readonly<Record<string, string | undefined>>

const SHIPPED_POLICIES = join(import.meta.dirname, '..', '..', '..', 'policies')

/**
 * Returns the Config in `path`, with SECONDER_LISTEN_AWS, SECONDER_LISTEN_CONSOLE, SECONDER_STATE,
 * SECONDER_LOCAL and SECONDER_LEDGER over it. Relative paths are relative to the file.
 * Errors: `invalid_config`, naming the line.
 */
export function loadConfig(path: string, environ: Environ = process.env): Config {
  const raw = parseFile(path)
  const listen = {
    aws: loopback(environ['SECONDER_LISTEN_AWS'] ?? raw.listen.aws),
    console: loopback(environ['SECONDER_LISTEN_CONSOLE'] ?? raw.listen.console),
  }
  const under = (name: string) => below(path, name)
  const state = stateConfig(raw, environ, under)
  return {
    configPath: resolvePath(path),
    file: { raw, again: () => loadConfig(path, environ) },
    limits: raw.limits,
    listen,
    ...state,
    ...telemetryConfig(raw, state.statePath, under),
    ...ledgerPlace(environ['SECONDER_LEDGER'] ?? raw.ledger, { under, environ, state }),
    policiesDirectory: raw.policies === undefined ? SHIPPED_POLICIES : under(raw.policies),
    ...(raw.roleReach === undefined ? {} : { roleReachPath: under(raw.roleReach) }),
    upstream: {
      endpoint: raw.upstream.aws.endpoint?.replace(/\/$/, '') ?? null,
      timeoutMs: raw.upstream.aws.timeoutMs,
      totalTimeoutMs: raw.upstream.aws.totalTimeoutMs,
      credentials: ownCredentials(raw.upstream.aws.credentials, environ),
      assumeRole: raw.upstream.aws.assumeRole ?? raw.upstream.aws.endpoint === undefined,
      ...regionOf(raw.upstream.aws.region, environ),
    },
    environments: raw.environments,
    roles: raw.roles,
    protect: raw.protect,
    trustedAccounts: raw.trustedAccounts,
    ...peopleConfig(raw),
    uploads: raw.uploads,
    review: raw.review,
    ...(raw.follow && { follow: raw.follow }),
    ...recordConfig(raw, { under, environ }),
    ...(raw.notify && { notify: notifyConfig(raw.notify, { environ, under }) }),
  }
}

/** Whether calls go out under the role of their session; for real AWS unless the file says otherwise. */
export function assumesRoles({ upstream }: Pick<Config, 'upstream'>): boolean {
  return upstream.assumeRole ?? upstream.endpoint === null
}

/** A path of the file made absolute: relative ones are relative to the file. */
export function below(path: string, name: string): string {
  return isAbsolute(name) ? name : join(dirname(resolvePath(path)), name)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const help = 'give the file with --config'
    throw new GatewayError('invalid_config', `cannot read \`${path}\``, help, { cause })
  }
}

/** What is in the file, checked line by line and not yet put together. Errors: `invalid_config`. */
export function parseFile(path: string): z.infer<typeof SCHEMA> {
  const text = textOf(path)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const syntax = document.errors[0]
  if (syntax) {
    const line = lines.linePos(syntax.pos[0]).line
    throw new GatewayError(
      'invalid_config',
      `\`${path}\` line ${line}: ${oneLine(syntax.message)}`,
      'mend the yaml',
    )
  }
  const parsed = SCHEMA.safeParse(document.toJS())
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = (issue?.path ?? []).map(String)
  const at = lineOf(document.contents, where, lines, (node) => document.getIn(node, true))
  const name = where.length > 0 ? `\`${where.join('.')}\`` : 'the file'
  throw new GatewayError(
    'invalid_config',
    `\`${path}\` line ${at}: ${name}: ${oneLine(issue?.message ?? 'is wrong')}`,
    'see the example in README.md, section "seconder.yaml"',
  )
}

function lineOf(
  root: unknown,
  path: readonly string[],
  lines: LineCounter,
  at: (path: readonly string[]) => unknown,
): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = at(path.slice(0, depth))
    const range = (node as { range?: readonly [number, number, number] } | undefined)?.range
    if (range) return lines.linePos(range[0]).line
  }
  return isMap(root) && root.range ? lines.linePos(root.range[0]).line : 1
}

function ownCredentials(origin: string, environ: Environ): UpstreamCredentials | CredentialOrigin {
  if (origin === 'environment') return environmentCredentials(environ)
  if (origin === 'instance') return { from: 'instance' }
  if (origin === 'web-identity') return webIdentity(environ)
  const folder = join(environ['HOME'] ?? homedir(), '.aws')
  return {
    from: 'profile',
    name: origin.slice('profile:'.length),
    credentialsFile: environ['AWS_SHARED_CREDENTIALS_FILE'] ?? join(folder, 'credentials'),
    configFile: environ['AWS_CONFIG_FILE'] ?? join(folder, 'config'),
  }
}

/** Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html */
function webIdentity(environ: Environ): CredentialOrigin {
  const tokenFile = environ['AWS_WEB_IDENTITY_TOKEN_FILE']
  const roleArn = environ['AWS_ROLE_ARN']
  if (!tokenFile || !roleArn) {
    throw new GatewayError(
      'invalid_config',
      'upstream.aws.credentials is `web-identity`, but AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is not set',
      'start the gate where its platform sets both, or name another source',
    )
  }
  const sessionName = environ['AWS_ROLE_SESSION_NAME'] ?? null
  return { from: 'web-identity', tokenFile, roleArn, sessionName }
}

function regionOf(configured: string | undefined, environ: Environ): { region?: string } {
  const region = configured ?? environ['AWS_REGION'] ?? environ['AWS_DEFAULT_REGION']
  return region ? { region } : {}
}

function environmentCredentials(environ: Environ): UpstreamCredentials {
  const accessKeyId = environ['AWS_ACCESS_KEY_ID']
  const secretAccessKey = environ['AWS_SECRET_ACCESS_KEY']
  if (!accessKeyId || !secretAccessKey) {
    throw new GatewayError(
      'invalid_config',
      'upstream.aws.credentials is `environment`, but AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set',
      'start the gate with the credentials of its own role in its environment; agents never see them',
    )
  }
  const token = environ['AWS_SESSION_TOKEN']
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: token ? new Secret(token) : null,
  }
}

function oneLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}
