// The credential scope of a signature: who signed, for which day, region and service. A scope is a
// claim of the caller; this file says only that its fields are well-formed, never that they exist.

import { quoted, SigV4Error } from './errors.ts'

export interface CredentialScope {
  readonly accessKeyId: string
  /** YYYYMMDD */
  readonly date: string
  readonly region: string
  readonly service: string
}

// Closed alphabets: a region that holds `@ : / # ? . %` would become another host when the upstream
// URL is built (redteam C5). One real signing name has capitals: IoTSecuredTunneling.
const ACCESS_KEY_ID = /^[A-Za-z0-9_]{1,128}$/
const DATE = /^[0-9]{8}$/
const REGION = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/
const SERVICE = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/
const CREDENTIAL_CHARACTERS_MAX = 256
/** The word that ends a scope. */
const TERMINATOR = 'aws4_request'

/** Scopes remembered; a session has one for each day, region and service. */
const SCOPES_MAX = 1_024
const recent = new Map<string, CredentialScope>()

/**
 * As `parseCredential`, remembering what was read. The text decides alone, and what is refused is not
 * remembered.
 */
export function rememberedCredential(credential: string): CredentialScope {
  const known = recent.get(credential)
  if (known !== undefined) return known
  const scope = parseCredential(credential)
  if (recent.size >= SCOPES_MAX) recent.clear()
  recent.set(credential, scope)
  return scope
}

/**
 * The fields of `AKID/20150830/us-east-1/service/aws4_request`.
 * Throws `scope_invalid` when a field has the wrong shape, `malformed_authorization` when there are
 * not five of them.
 * Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function parseCredential(credential: string): CredentialScope {
  if (credential.length > CREDENTIAL_CHARACTERS_MAX) {
    throw new SigV4Error('scope_invalid', 'the credential scope is too long')
  }
  const fields = credential.split('/')
  const [accessKeyId, date, region, service, terminator] = fields
  if (
    fields.length !== 5 ||
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined
  ) {
    throw new SigV4Error('scope_invalid', 'the credential scope does not have five fields')
  }
  return checkedScope({ accessKeyId, date, region, service }, terminator)
}

/**
 * The fields of `AKID/20150830/service/aws4_request`, which SigV4A signs, with the one region that
 * X-Amz-Region-Set names.
 * Throws as `parseCredential`; `ambiguous_region` where the set is `*`, a pattern or a list: a call that
 * is good in several regions is several calls.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html (multi-Region signing)
 */
export function parseRegionlessCredential(credential: string, regionSet: string): CredentialScope {
  if (credential.length > CREDENTIAL_CHARACTERS_MAX) {
    throw new SigV4Error('scope_invalid', 'the credential scope is too long')
  }
  const fields = credential.split('/')
  const [accessKeyId, date, service, terminator] = fields
  if (
    fields.length !== 4 ||
    accessKeyId === undefined ||
    date === undefined ||
    service === undefined
  ) {
    throw new SigV4Error('scope_invalid', 'the SigV4A credential scope does not have four fields')
  }
  const region = regionSet.trim()
  if (/[*,;\s]/.test(region)) {
    throw new SigV4Error('ambiguous_region', 'X-Amz-Region-Set names more than one region')
  }
  return checkedScope({ accessKeyId, date, region, service }, terminator)
}

function checkedScope(scope: CredentialScope, terminator: string | undefined): CredentialScope {
  const { accessKeyId, date, region, service } = scope
  if (!DATE.test(date)) throw new SigV4Error('scope_invalid', `${quoted(date)} is not a scope date`)
  if (!REGION.test(region)) {
    throw new SigV4Error('scope_invalid', `${quoted(region)} is not a region name`)
  }
  if (!SERVICE.test(service)) {
    throw new SigV4Error('scope_invalid', `${quoted(service)} is not a service name`)
  }
  if (terminator !== TERMINATOR) {
    throw new SigV4Error('scope_invalid', 'the credential scope does not end in `aws4_request`')
  }
  if (!ACCESS_KEY_ID.test(accessKeyId)) {
    throw new SigV4Error('malformed_authorization', 'the access key id has characters no key has')
  }
  return scope
}

/** `20150830/us-east-1/service/aws4_request`, the scope as the string to sign holds it. */
export function scopeText(scope: Omit<CredentialScope, 'accessKeyId'>): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`
}
