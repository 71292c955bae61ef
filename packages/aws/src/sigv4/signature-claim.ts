// What a request says about its own signature, from the Authorization header or from presigned
// query parameters. Exactly one of the two may speak. Nothing here is verified yet.

import { parseAmzDate } from './amz-date.ts'
import { type CredentialScope, rememberedCredential } from './credential-scope.ts'
import { quoted, SigV4Error } from './errors.ts'
import type { QueryParameter } from './query-string.ts'
import { ALGORITHM } from './signature.ts'

export interface SignatureClaim {
  readonly form: 'header' | 'presigned'
  readonly scope: CredentialScope
  /** Lower case and sorted, as received. */
  readonly signedHeaders: readonly string[]
  /** 64 lower-case hex digits. */
  readonly signature: string
  readonly amzDate: string
  readonly signedAtMs: number
  /** Presigned only; 1 to 604,800. */
  readonly expiresSeconds: number | null
}

export const AUTHORIZATION_CHARACTERS_MAX = 4_096
export const SIGNED_HEADERS_MAX = 100
/**
 * Seven days.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export const EXPIRES_SECONDS_MAX = 604_800

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
const PRESIGN_NAMES = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
  'X-Amz-Security-Token',
  'X-Amz-Content-Sha256',
] as const
type PresignName = (typeof PRESIGN_NAMES)[number]

const PRESIGN_BY_LOWER_CASE: ReadonlyMap<string, PresignName> = new Map(
  PRESIGN_NAMES.map((name) => [name.toLowerCase(), name]),
)

// These alone make a request a presigned one; a token or a payload hash may also come unasked.
const PRESIGN_MARKS: readonly PresignName[] = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
]

export type PresignedParameters = ReadonlyMap<PresignName, string>

/** True for the query parameters that belong to the signature and not to the operation. */
export function isPresignParameter(name: string): boolean {
  return PRESIGN_BY_LOWER_CASE.has(name.toLowerCase())
}

/**
 * The signature parameters of a query, by their exact names.
 * `duplicate_signature_parameter` for a repeated one, `ambiguous_signature` for one in other case:
 * one reader would take it for a signature parameter and the next would not.
 */
export function presignedParameters(query: readonly QueryParameter[]): PresignedParameters {
  const found = new Map<PresignName, string>()
  for (const parameter of query) {
    const name = PRESIGN_BY_LOWER_CASE.get(parameter.name.toLowerCase())
    if (name === undefined) continue
    if (found.has(name)) {
      throw new SigV4Error('duplicate_signature_parameter', `${quoted(name)} came twice`)
    }
    if (name !== parameter.name) {
      throw new SigV4Error('ambiguous_signature', `${quoted(parameter.name)} is misspelt`)
    }
    found.set(name, parameter.value)
  }
  return found
}

/**
 * The one signature claim of a request.
 * Errors: missing_signature, ambiguous_signature, duplicate_header, unsupported_algorithm,
 * malformed_authorization, malformed_date, scope_invalid.
 */
export function signatureClaim(
  headers: ReadonlyMap<string, readonly string[]>,
  presigned: PresignedParameters,
): SignatureClaim {
  const authorizations = headers.get('authorization') ?? []
  const [authorization] = authorizations
  const isPresigned = PRESIGN_MARKS.some((name) => presigned.has(name))
  if (authorization !== undefined && isPresigned) {
    throw new SigV4Error('ambiguous_signature', 'the request carries two signatures')
  }
  if (authorizations.length > 1) {
    throw new SigV4Error('duplicate_header', '`authorization` came twice')
  }
  if (isPresigned) return presignedClaim(presigned)
  if (authorization === undefined) {
    throw new SigV4Error('missing_signature', 'the request is not signed')
  }
  return headerClaim(authorization, headers.get('x-amz-date') ?? [])
}

function headerClaim(authorization: string, dates: readonly string[]): SignatureClaim {
  if (authorization.length > AUTHORIZATION_CHARACTERS_MAX) {
    throw new SigV4Error('malformed_authorization', 'the authorization header is too long')
  }
  const text = authorization.trim()
  const blank = text.indexOf(' ')
  checkAlgorithm(blank < 0 ? text : text.slice(0, blank))
  const fields = authorizationFields(text.slice(blank + 1))
  const [amzDate] = dates
  if (amzDate === undefined) {
    throw new SigV4Error('malformed_date', 'the request has no X-Amz-Date header')
  }
  if (dates.length > 1) throw new SigV4Error('duplicate_header', '`x-amz-date` came twice')
  return claim('header', { ...fields, amzDate: amzDate.trim(), expiresSeconds: null })
}

function authorizationFields(text: string): ClaimFields {
  const fields = new Map<string, string>()
  const pieces = text.split(',', 4)
  for (const piece of pieces) {
    const equals = piece.indexOf('=')
    if (equals > 0) fields.set(piece.slice(0, equals).trim(), piece.slice(equals + 1).trim())
  }
  const credential = fields.get('Credential')
  const signedHeaders = fields.get('SignedHeaders')
  const signature = fields.get('Signature')
  const complete = credential !== undefined && signedHeaders !== undefined
  if (!complete || signature === undefined || pieces.length !== 3) {
    throw new SigV4Error(
      'malformed_authorization',
      'the authorization header needs Credential, SignedHeaders and Signature, once each',
    )
  }
  return { credential, signedHeaders, signature }
}

function presignedClaim(parameters: PresignedParameters): SignatureClaim {
  const needed = (name: PresignName): string => {
    const value = parameters.get(name)
    if (value !== undefined) return value
    throw new SigV4Error('malformed_authorization', `the query has no ${quoted(name)}`)
  }
  checkAlgorithm(needed('X-Amz-Algorithm'))
  const expires = needed('X-Amz-Expires')
  const expiresSeconds = /^[1-9][0-9]{0,5}$/.test(expires) ? Number(expires) : Number.NaN
  if (!(expiresSeconds <= EXPIRES_SECONDS_MAX)) {
    throw new SigV4Error('malformed_authorization', 'X-Amz-Expires is not 1 to 604800 seconds')
  }
  return claim('presigned', {
    credential: needed('X-Amz-Credential'),
    signedHeaders: needed('X-Amz-SignedHeaders'),
    signature: needed('X-Amz-Signature'),
    amzDate: needed('X-Amz-Date'),
    expiresSeconds,
  })
}

interface ClaimFields {
  readonly credential: string
  readonly signedHeaders: string
  readonly signature: string
}

function claim(
  form: SignatureClaim['form'],
  fields: ClaimFields & { readonly amzDate: string; readonly expiresSeconds: number | null },
): SignatureClaim {
  const scope = rememberedCredential(fields.credential)
  if (!/^[0-9a-f]{64}$/.test(fields.signature)) {
    throw new SigV4Error('malformed_authorization', 'the signature is not 64 hex digits')
  }
  const signedAtMs = parseAmzDate(fields.amzDate)
  if (!fields.amzDate.startsWith(scope.date)) {
    throw new SigV4Error('malformed_date', 'X-Amz-Date is not on the day of the credential scope')
  }
  return {
    form,
    scope,
    signedHeaders: rememberedNames(fields.signedHeaders),
    signature: fields.signature,
    amzDate: fields.amzDate,
    signedAtMs,
    expiresSeconds: fields.expiresSeconds,
  }
}

/** Lists remembered; a client signs a few. */
const NAMES_MAX = 1_024
const recentNames = new Map<string, readonly string[]>()

/** As `parseSignedHeaders`, remembering what was read; what is refused is not remembered. */
function rememberedNames(text: string): readonly string[] {
  const known = recentNames.get(text)
  if (known !== undefined) return known
  const names = parseSignedHeaders(text)
  if (recentNames.size >= NAMES_MAX) recentNames.clear()
  recentNames.set(text, names)
  return names
}

function parseSignedHeaders(text: string): string[] {
  const names = text.split(';', SIGNED_HEADERS_MAX + 1)
  if (names.length > SIGNED_HEADERS_MAX) {
    throw new SigV4Error('malformed_authorization', 'too many signed headers')
  }
  let previous = ''
  for (const name of names) {
    // Lower-case RFC 9110 token; sorted and unique, so that one list has one spelling.
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) || name <= previous) {
      throw new SigV4Error('malformed_authorization', 'SignedHeaders is not a sorted list of names')
    }
    previous = name
  }
  return names
}

function checkAlgorithm(name: string): void {
  if (name === ALGORITHM) return
  if (name.startsWith('AWS4-ECDSA-P256-SHA256')) {
    throw new SigV4Error(
      'unsupported_algorithm',
      'SigV4A (AWS4-ECDSA-P256-SHA256) is not supported',
    )
  }
  // Only a known scheme is named: in any other the whole text may be somebody's token.
  const scheme = /^(?:AWS|Basic|Bearer|Digest|Negotiate)$/.test(name) ? quoted(name) : 'this scheme'
  throw new SigV4Error('unsupported_algorithm', `${scheme} is not supported`)
}
