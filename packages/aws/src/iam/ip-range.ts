// IP addresses and ranges in CIDR form as numbers, IPv4 and IPv6. Anything else is no address.
// Source: RFC 4632 section 3.1; RFC 4291 sections 2.2, 2.3.

export interface IpRange {
  readonly bits: 32 | 128
  readonly value: bigint
  readonly prefix: number
}

/** One address (`prefix` of all bits) or a range; undefined for what is neither. */
export function ipRange(text: string): IpRange | undefined {
  const [address = '', length, more] = text.split('/')
  if (more !== undefined) return undefined
  const bits = address.includes(':') ? 128 : 32
  const value = bits === 128 ? ipv6(address) : ipv4(address)
  if (value === undefined) return undefined
  if (length === undefined) return { bits, value, prefix: bits }
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined
  return { bits, value, prefix: Number(length) }
}

/** True where the address lies in the range; never for another version of IP. */
export function liesIn(address: IpRange, range: IpRange): boolean {
  if (address.bits !== range.bits || address.prefix < range.prefix) return false
  const shift = BigInt(range.bits - range.prefix)
  return address.value >> shift === range.value >> shift
}

function ipv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

function ipv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half) => groupsOf(half))
  const [left, right] = groups
  if (left === undefined || (halves.length === 2 && right === undefined)) return undefined
  const after = right ?? []
  const missing = 8 - left.length - after.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const whole = [...left, ...Array<bigint>(halves.length === 2 ? missing : 0).fill(0n), ...after]
  return whole.reduce((value, group) => (value << 16n) | group, 0n)
}

function groupsOf(half: string): bigint[] | undefined {
  if (half === '') return []
  const groups: bigint[] = []
  const parts = half.split(':')
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const last = ipv4(part)
      if (last === undefined) return undefined
      groups.push(last >> 16n, last & 0xffffn)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`))
    else return undefined
  }
  return groups
}
