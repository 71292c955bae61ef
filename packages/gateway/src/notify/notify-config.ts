// The part of seconder.yaml about whom requests are told to: channels, and which team hears of what on which.
// Secrets are named here (`env:NAME`, `file:PATH`) and never written; a mistake names its field, never a value.
import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { Secret } from '../lib/secret.ts'

const NAME = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'use 1-64 of a-z 0-9 . _ -')
const TEAM = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'write a team as policies do')
/** Where a secret lies. */
const SOURCE = z
  .string()
  .regex(/^(env:[A-Z][A-Z0-9_]{0,127}|file:.{1,1024})$/, 'write env:NAME or file:PATH')
/** One mailbox; nothing that could end a header or name a second one. */
const MAILBOX = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'write NAME@HOST')
const HOST = z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'write a host name or an address')

/** Effects as Action has them; `unknown` is heard by every route whatever it names. */
const EFFECT = z.enum(EFFECTS_BY_STRICTNESS)

export const CHANNELS_MAX = 20
export const ROUTES_MAX = 200

const CHANNEL = z
  .strictObject({
    webhook: z
      .strictObject({
        url: z.union([SOURCE, z.string().regex(/^https?:\/\/\S{1,1000}$/, 'write https://...')]),
        /** `whsec_...`; two while one takes over from the other. */
        secret: z.union([SOURCE, z.array(SOURCE).min(1).max(2)]),
      })
      .optional(),
    slack: z.strictObject({ url: SOURCE }).optional(),
    email: z
      .strictObject({
        host: HOST,
        port: z.number().int().min(1).max(65_535).default(587),
        /** TLS from the first byte, as on port 465; otherwise STARTTLS is required. */
        tls: z.boolean().default(false),
        from: MAILBOX,
        to: z.array(MAILBOX).min(1).max(50),
        user: z.string().min(1).max(256).optional(),
        password: SOURCE.optional(),
        /** PEM file of the authority that signed the server's certificate, where it is a private one. */
        ca: z.string().min(1).optional(),
      })
      .refine(({ user, password }) => (user === undefined) === (password === undefined), {
        message: 'user and password go together',
        path: ['password'],
      })
      .optional(),
  })
  .refine(({ webhook, slack, email }) => [webhook, slack, email].filter(Boolean).length === 1, {
    message: 'a channel is exactly one of webhook, slack and email',
  })

const ROUTE = z
  .strictObject({
    /** Whose requests: those that want somebody of one of these teams, or anybody. Absent = all. */
    teams: z.array(TEAM).min(1).max(50).optional(),
    environments: z.array(NAME).min(1).max(100).optional(),
    effects: z.array(EFFECT).min(1).optional(),
    channels: z.array(NAME).max(CHANNELS_MAX).default([]),
    /** Members, each told on channels of their own, or whoever stands in for them. */
    people: z.array(NAME).max(50).default([]),
  })
  .refine(({ channels, people }) => channels.length + people.length > 0, {
    message: 'a route names channels or people',
    path: ['channels'],
  })

const NO_CHANNEL = 'there is no such channel'

export const NOTIFY = z
  .strictObject({
    channels: z
      .record(NAME, CHANNEL)
      .refine((channels) => Object.keys(channels).length <= CHANNELS_MAX, {
        message: `at most ${CHANNELS_MAX} channels`,
      }),
    /** The channels of each person whom a route names. */
    people: z.record(NAME, z.array(NAME).min(1).max(CHANNELS_MAX)).default({}),
    routes: z.array(ROUTE).min(1).max(ROUTES_MAX),
    /** How long the first message of a session waits for what comes with it. */
    gatherMs: z.number().int().min(0).max(60_000).default(2_000),
    /** How long after a message the next one about new requests of the same session may go. */
    quietMs: z.number().int().min(0).max(600_000).default(60_000),
    retry: z
      .strictObject({
        firstMs: z.number().int().min(10).max(600_000).default(5_000),
        pauseMaxMs: z.number().int().min(10).max(3_600_000).default(600_000),
        attempts: z.number().int().min(1).max(20).default(10),
      })
      .prefault({}),
    /** How long a receiver may take for one message. */
    timeoutMs: z.number().int().min(100).max(60_000).default(15_000),
  })
  .superRefine(({ channels, people, routes }, context) => {
    const known = (among: object, named: readonly string[], path: readonly (string | number)[]) => {
      for (const [at, name] of named.entries()) {
        if (Object.hasOwn(among, name)) continue
        const message = among === people ? '`notify.people` has nobody of this name' : NO_CHANNEL
        context.addIssue({ code: 'custom', message, path: [...path, at] })
      }
    }
    for (const [name, own] of Object.entries(people)) known(channels, own, ['people', name])
    for (const [index, route] of routes.entries()) {
      known(channels, route.channels, ['routes', index, 'channels'])
      known(people, route.people, ['routes', index, 'people'])
    }
  })

export type RawNotify = z.infer<typeof NOTIFY>
export type RouteRow = z.infer<typeof ROUTE>

export type ChannelConfig =
  | {
      readonly kind: 'webhook'
      readonly url: Secret
      /** HMAC keys, the one in use first. */
      readonly keys: readonly Secret<Uint8Array>[]
    }
  | { readonly kind: 'slack'; readonly url: Secret }
  | {
      readonly kind: 'email'
      readonly host: string
      readonly port: number
      readonly tls: boolean
      readonly from: string
      readonly to: readonly string[]
      readonly login: { readonly user: string; readonly password: Secret } | null
      readonly ca: string | null
    }

export interface NotifyConfig {
  readonly channels: Readonly<Record<string, ChannelConfig>>
  readonly people: Readonly<Record<string, readonly string[]>>
  readonly routes: readonly RouteRow[]
  readonly gatherMs: number
  readonly quietMs: number
  readonly retry: {
    readonly firstMs: number
    readonly pauseMaxMs: number
    readonly attempts: number
  }
  readonly timeoutMs: number
  /** Absolute paths of the files that secrets were read from: nobody else may read them. */
  readonly secretFiles: readonly string[]
}

export interface SecretPlaces {
  readonly environ: Readonly<Record<string, string | undefined>>
  /** Makes a path of the configuration absolute. */
  readonly under: (path: string) => string
}

/** Errors: `invalid_config`, naming the field and never what is in it. */
export function notifyConfig(raw: RawNotify, places: SecretPlaces): NotifyConfig {
  const { channels, ...rest } = raw
  const secretFiles: string[] = []
  const named = Object.entries(channels).map(([name, channel]) => {
    const read = (field: string, source: string): string => {
      if (source.startsWith('file:')) secretFiles.push(places.under(source.slice(5)))
      return secretOf(`notify.channels.${name}.${field}`, source, places)
    }
    return [name, channelOf(name, channel, read, places)] as const
  })
  return { ...rest, channels: Object.fromEntries(named), secretFiles }
}

type Read = (field: string, source: string) => string

function channelOf(
  name: string,
  { webhook, slack, email }: RawNotify['channels'][string],
  read: Read,
  { under }: SecretPlaces,
): ChannelConfig {
  const at = `notify.channels.${name}`
  if (webhook) {
    const field = 'webhook.url'
    const url = /^https?:/.test(webhook.url) ? webhook.url : read(field, webhook.url)
    const sources = [webhook.secret].flat()
    const keys = sources.map((source) =>
      webhookKey(`${at}.webhook.secret`, read('webhook.secret', source)),
    )
    return { kind: 'webhook', url: destination(`${at}.${field}`, url), keys }
  }
  if (slack) {
    return { kind: 'slack', url: destination(`${at}.slack.url`, read('slack.url', slack.url)) }
  }
  if (!email) throw wrong(at, 'names no webhook, slack or email')
  const { user, password, ca, ...rest } = email
  return {
    kind: 'email',
    ...rest,
    login:
      user === undefined || password === undefined
        ? null
        : { user, password: new Secret(read('email.password', password)) },
    ca: ca === undefined ? null : contentOf(`${at}.email.ca`, under(ca)),
  }
}

function secretOf(field: string, source: string, { environ, under }: SecretPlaces): string {
  if (source.startsWith('file:')) {
    const text = contentOf(field, under(source.slice(5))).replace(/\r?\n$/, '')
    if (text === '') throw wrong(field, 'its file is empty')
    return text
  }
  const text = environ[source.slice(4)]
  if (!text) throw wrong(field, `the variable ${source.slice(4)} is not set`)
  return text
}

/** Longest file of a secret or certificate. */
const FILE_BYTES_MAX = 65_536

function contentOf(field: string, path: string): string {
  try {
    if (statSync(path).size <= FILE_BYTES_MAX) return readFileSync(path, 'utf8')
  } catch (cause) {
    throw wrong(field, 'its file cannot be read', cause)
  }
  throw wrong(field, `its file is over ${FILE_BYTES_MAX} bytes`)
}

/**
 * `whsec_` and base64 of 24 to 64 random bytes.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md "Signature scheme"
 */
function webhookKey(field: string, text: string): Secret<Uint8Array> {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1]
  const key = Buffer.from(encoded ?? '', 'base64')
  if (key.length < 24 || key.length > 64 || key.toString('base64') !== encoded) {
    throw wrong(field, 'it is not whsec_ and the base64 of 24 to 64 bytes')
  }
  return new Secret<Uint8Array>(key)
}

/** Where a message goes in the clear it does not leave this host. */
function destination(field: string, text: string): Secret {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) throw wrong(field, 'it is not an https URL')
  if (url.username !== '' || url.password !== '') throw wrong(field, 'it holds a user or password')
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw wrong(field, 'http is taken to 127.0.0.1, ::1 and localhost only')
  }
  return new Secret(text)
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return isIP(bare) === 0 ? bare === 'localhost' : bare === '127.0.0.1' || bare === '::1'
}

function wrong(field: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_config', `\`${field}\`: ${why}`, 'see docs/notifications.md', {
    cause,
  })
}
