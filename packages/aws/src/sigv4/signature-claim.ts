// What a request says about its own signature, from the Authorization header or from presigned
// query parameters. Exactly one of the two may speak. Nothing here is verified yet.

import { parseAmzDate } from './amz-date.ts'
import {
  type CredentialScope,
  parseRegionlessCredential,
  rememberedCredential,
} from './credential-scope.ts'
import { quoted, SigV4Error } from './errors.ts'
import type { QueryParameter } from './query-string.ts'
import { ALGORITHM } from './signature.ts'
import { ECDSA_ALGORITHM } from './sigv4a.ts'

export type Algorithm = typeof ALGORITHM | typeof ECDSA_ALGORITHM

export interface SignatureClaim {
  readonly form: 'header' | 'presigned'
  readonly algorithm: Algorithm
  /** With SigV4A the region is the one that X-Amz-Region-Set names. */
  readonly scope: CredentialScope
  /** Lower case and sorted, as received. */
  readonly signedHeaders: readonly string[]
  /** Lower-case hex: 64 digits, or a DER signature with SigV4A. */
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
  'X-Amz-Region-Set',
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
 * one reader would take it for a signature parameter and the next would not;
 * `unsupported_algorithm` for a query signed by Signature Version 2.
 */
export function presignedParameters(query: readonly QueryParameter[]): PresignedParameters {
  const found = new Map<PresignName, string>()
  if (isVersionTwo(query)) {
    throw new SigV4Error('unsupported_algorithm', 'Signature Version 2 is not supported')
  }
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
 * What signers of before 2014 put into a query; AWS CLI v1 still presigns so for some regions.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 */
function isVersionTwo(query: readonly QueryParameter[]): boolean {
  return ['AWSAccessKeyId', 'Signature'].every((name) => query.some((each) => each.name === name))
}

/**
 * The one signature claim of a request.
 * Errors: missing_signature, ambiguous_signature, duplicate_header, unsupported_algorithm,
 * malformed_authorization, malformed_date, scope_invalid, ambiguous_region.
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
  if (isPresigned) {
    if (headers.has('x-amz-region-set')) throw strayRegionSet()
    return presignedClaim(presigned)
  }
  if (authorization === undefined) {
    throw new SigV4Error('missing_signature', 'the request is not signed')
  }
  const regionSet = headers.get('x-amz-region-set')?.[0]
  if (presigned.size > 0) {
    // One reader would take it for the signature's and drop it, the next for the operation's.
    throw new SigV4Error('ambiguous_signature', 'a header signs it, and so do query parameters')
  }
  return headerClaim(authorization, headers.get('x-amz-date') ?? [], regionSet)
}

function strayRegionSet(): SigV4Error {
  return new SigV4Error('ambiguous_signature', 'X-Amz-Region-Set is no part of this signature')
}

function headerClaim(
  authorization: string,
  dates: readonly string[],
  regionSet: string | undefined,
): SignatureClaim {
  if (authorization.length > AUTHORIZATION_CHARACTERS_MAX) {
    throw new SigV4Error('malformed_authorization', 'the authorization header is too long')
  }
  const text = authorization.trim()
  const blank = text.indexOf(' ')
  const algorithm = checkAlgorithm(blank < 0 ? text : text.slice(0, blank))
  const fields = authorizationFields(text.slice(blank + 1))
  const [amzDate] = dates
  if (amzDate === undefined) {
    throw new SigV4Error('malformed_date', 'the request has no X-Amz-Date header')
  }
  if (dates.length > 1) throw new SigV4Error('duplicate_header', '`x-amz-date` came twice')
  const amzDateText = amzDate.trim()
  return claim('header', {
    ...fields,
    algorithm,
    regionSet,
    amzDate: amzDateText,
    expiresSeconds: null,
  })
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
  const algorithm = checkAlgorithm(needed('X-Amz-Algorithm'))
  const expires = needed('X-Amz-Expires')
  const expiresSeconds = /^[1-9][0-9]{0,5}$/.test(expires) ? Number(expires) : Number.NaN
  if (!(expiresSeconds <= EXPIRES_SECONDS_MAX)) {
    throw new SigV4Error('malformed_authorization', 'X-Amz-Expires is not 1 to 604800 seconds')
  }
  return claim('presigned', {
    algorithm,
    regionSet: parameters.get('X-Amz-Region-Set'),
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
  fields: ClaimFields & {
    readonly algorithm: Algorithm
    readonly regionSet: string | undefined
    readonly amzDate: string
    readonly expiresSeconds: number | null
  },
): SignatureClaim {
  const scope = scopeOf(fields)
  // A DER signature of two 32-byte numbers; what is longer is none.
  const digits = fields.algorithm === ALGORITHM ? /^[0-9a-f]{64}$/ : /^(?:[0-9a-f]{2}){8,72}$/
  if (!digits.test(fields.signature)) {
    throw new SigV4Error('malformed_authorization', 'the signature is not hex of its length')
  }
  const signedAtMs = parseAmzDate(fields.amzDate)
  if (!fields.amzDate.startsWith(scope.date)) {
    throw new SigV4Error('malformed_date', 'X-Amz-Date is not on the day of the credential scope')
  }
  return {
    form,
    algorithm: fields.algorithm,
    scope,
    signedHeaders: rememberedNames(fields.signedHeaders),
    signature: fields.signature,
    amzDate: fields.amzDate,
    signedAtMs,
    expiresSeconds: fields.expiresSeconds,
  }
}

/** The scope of a credential, with its region from where the algorithm says it. */
function scopeOf({
  algorithm,
  credential,
  regionSet,
}: {
  readonly algorithm: Algorithm
  readonly credential: string
  readonly regionSet: string | undefined
}): CredentialScope {
  if (algorithm === ALGORITHM) {
    if (regionSet !== undefined) throw strayRegionSet()
    return rememberedCredential(credential)
  }
  if (regionSet === undefined) {
    throw new SigV4Error('malformed_authorization', 'a SigV4A request has no X-Amz-Region-Set')
  }
  return parseRegionlessCredential(credential, regionSet)
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

function checkAlgorithm(name: string): Algorithm {
  if (name === ALGORITHM || name === ECDSA_ALGORITHM) return name
  // Only a known scheme is named: in any other the whole text may be somebody's token.
  const scheme = /^(?:AWS|Basic|Bearer|Digest|Negotiate)$/.test(name) ? quoted(name) : 'this scheme'
  throw new SigV4Error('unsupported_algorithm', `${scheme} is not supported`)
}
