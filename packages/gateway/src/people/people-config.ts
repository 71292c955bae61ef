// The part of seconder.yaml about people: where they open the console, and whose passkeys count.
import { z } from 'zod'

export const NAME = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'use 1-64 of a-z 0-9 . _ -')

const PERSON = z.strictObject({
  name: NAME,
  teams: z.array(NAME).default([]),
  sshKeys: z.array(z.string().min(20)).min(1),
})

const IS_ADDRESS = /^[\d.]+$/

const CONSOLE = z
  .strictObject({
    /** Where people open the console: scheme, host and port, as a browser shows them. */
    origins: z
      .array(
        z
          .string()
          .regex(
            /^(https:\/\/[a-z0-9.-]+|http:\/\/localhost)(:\d{1,5})?$/,
            'write https://HOST, or http://localhost:PORT',
          )
          .refine((origin) => !IS_ADDRESS.test(hostOf(origin)), {
            message: 'a passkey belongs to a name, not to an address: write https://HOST',
          }),
      )
      .min(1)
      .max(5)
      .optional(),
    /** The name that passkeys belong to: the host of every origin, or a domain above it. */
    rpId: z
      .string()
      .regex(/^[a-z0-9.-]{1,253}$/, 'write a host name')
      .optional(),
    /** Everybody opens the console on the gate's own machine, so passkeys of `localhost` count (red team M4). */
    singleMachine: z.boolean().optional(),
  })
  .refine(
    ({ origins = [LOCAL_ORIGIN], rpId = hostOf(origins[0] ?? '') }) =>
      origins.every((origin) => `.${hostOf(origin)}`.endsWith(`.${rpId}`)),
    { message: 'every origin must be of rpId or below it', path: ['rpId'] },
  )

const LOCAL_ORIGIN = 'http://localhost'

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : ''
}

/** Seat counts as policies write them; two people in all, whatever they say. */
const MEMBERSHIP = z.strictObject({
  signedBy: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,31}:[1-9]$/, 'write TEAM:N, or any:N'))
    .min(1)
    .max(8),
})

const OIDC = z.strictObject({
  issuer: z
    .string()
    .regex(
      /^(https:\/\/[^\s?#]+|http:\/\/localhost:\d{1,5})$/,
      'write https://HOST, as its tokens say it',
    ),
  clientId: z.string().min(1).max(256),
  /** Absolute path of a file with the secret, of the gate's own user; without it a public client. */
  clientSecretFile: z.string().startsWith('/').optional(),
})

export type OidcRow = z.infer<typeof OIDC>
export type MembershipRow = z.infer<typeof MEMBERSHIP>
export type ConsoleRow = z.infer<typeof CONSOLE>
export type PersonRow = z.infer<typeof PERSON>

/** Sections of seconder.yaml, each at its top level. */
export const PEOPLE_SECTIONS = {
  console: CONSOLE.optional(),
  membership: MEMBERSHIP.optional(),
  oidc: OIDC.optional(),
  people: z.array(PERSON).max(10_000).default([]),
}

export interface PeopleConfig {
  /** People of the first start; later ones are signed acts. */
  readonly people: readonly PersonRow[]
  /** Where people open the console; absent = `localhost` at the port it listens on. */
  readonly console?: ConsoleRow
  /** Whose signatures a change of people needs; part of the epoch. Absent = any two. */
  readonly membership?: MembershipRow
  /** Where people of a company sign in for reading. */
  readonly oidc?: OidcRow
}

export function peopleConfig(raw: {
  readonly people: readonly PersonRow[]
  readonly console?: ConsoleRow | undefined
  readonly membership?: MembershipRow | undefined
  readonly oidc?: OidcRow | undefined
}): PeopleConfig {
  const { people, console, membership, oidc } = raw
  return {
    people,
    ...(console && { console }),
    ...(membership && { membership }),
    ...(oidc && { oidc }),
  }
}
