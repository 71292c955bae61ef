// Makes the name constraints of a CA in DER: the DNS names it may sign for, and no IP address at all.
// A client that trusts the CA refuses whatever else it signs, whoever holds its key.

/** Source: RFC 5280 section 4.2.1.10. */
export const NAME_CONSTRAINTS_OID = '2.5.29.30'

// Tags in DER. Sources: RFC 5280 sections 4.2.1.6 and 4.2.1.10; X.690 section 8.1.
const SEQUENCE = 0x30
const PERMITTED_SUBTREES = 0xa0
const EXCLUDED_SUBTREES = 0xa1
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

/** Longest value that this encoder writes: two bytes of length. */
const DER_BYTES_MAX = 0xffff

/**
 * Returns a NameConstraints that permits these domains with their subdomains and excludes every IP
 * address, since a permitted list of DNS names alone says nothing about addresses.
 * Source: RFC 5280 section 4.2.1.10.
 */
export function nameConstraints(suffixes: readonly string[]): Uint8Array {
  const permitted = suffixes.map((suffix) => subtree(DNS_NAME, Buffer.from(suffix, 'ascii')))
  // An address and its mask: 8 bytes for IPv4, 32 for IPv6, all zero for "every address".
  const excluded = [8, 32].map((bytes) => subtree(IP_ADDRESS, Buffer.alloc(bytes)))
  return value(SEQUENCE, [value(PERMITTED_SUBTREES, permitted), value(EXCLUDED_SUBTREES, excluded)])
}

function subtree(tag: number, name: Uint8Array): Buffer {
  return value(SEQUENCE, [value(tag, [name])])
}

function value(tag: number, parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length > DER_BYTES_MAX) throw new RangeError('too many names for one certificate')
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
