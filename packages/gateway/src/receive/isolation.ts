// Measures how far the sender of a connection is from the gate, from facts of the kernel alone.
// What cannot be measured is `none`: the least that can be true.
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { Isolation } from '../identify/caller.ts'

/**
 * Returns the isolation of the peer. Who that is is looked up once for each connection, since a peer cannot change;
 * `reaches` says whether a user could read or change what the gate stands on, which can. It takes a walk over the
 * kernel's table of connections, so ask only where it will be used.
 */
export async function measureIsolation(
  socket: Socket,
  reaches: (uid: number) => boolean = () => false,
): Promise<Isolation> {
  const { remoteAddress } = socket
  if (remoteAddress !== undefined && !isLoopback(remoteAddress)) return 'host'
  const uid = await peerUid(socket)
  // Root reads every file of the gate, so a root agent is as near as the gate's own user.
  if (uid === undefined || uid === 0 || uid === process.getuid?.()) return 'none'
  // A user that could read or change what the gate stands on is as near as its own (red team C2).
  return reaches(uid) ? 'none' : 'user'
}

const uids = new WeakMap<Socket, Promise<number | undefined>>()

/**
 * The user at the other end of a connection on this host; undefined where that cannot be told. Whoever asks
 * again, for another reason, gets the answer of the first walk.
 */
export function peerUid(socket: Socket): Promise<number | undefined> {
  let uid = uids.get(socket)
  if (!uid) {
    uid = lookUpUid(socket)
    uids.set(socket, uid)
  }
  return uid
}

async function lookUpUid(socket: Socket): Promise<number | undefined> {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  if (localAddress === undefined || localPort === undefined) return undefined
  if (!isLoopback(remoteAddress)) return undefined
  const uid = await ownerOf(endForms(remoteAddress, remotePort), endForms(localAddress, localPort))
  // The table was read while the connection was there: its ends were nobody else's.
  return socket.destroyed ? undefined : uid
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}

/**
 * The uid that owns the socket from one end to the other, from /proc/net/tcp and tcp6. Both ends
 * count: two sockets may share one local port.
 * Source: Linux kernel, Documentation/networking/proc_net_tcp.rst (local and remote address, uid).
 */
async function ownerOf(
  from: readonly string[],
  to: readonly string[],
): Promise<number | undefined> {
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let table: string
    try {
      table = await readFile(file, 'latin1')
    } catch {
      continue // no procfs, or no IPv6: not measured, so the caller says `none`
    }
    for (const [index, local] of from.entries()) {
      // Each line is `  sl: local_address remote_address ...`; a busy machine has thousands, so the one
      // wanted is searched for, not every line split.
      const at = table.indexOf(`: ${local} ${to[index]} `)
      if (at === -1) continue
      const columns = table
        .slice(at + 2, table.indexOf('\n', at))
        .trim()
        .split(/\s+/)
      return columns[6] === undefined || !/^\d+$/.test(columns[6]) ? undefined : Number(columns[6])
    }
  }
  return undefined
}

/**
 * A loopback address and port as the kernel prints them: an IPv4 address in little-endian hex, plain
 * and mapped into IPv6.
 */
function endForms(address: string, port: number): readonly string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  return hexForms(address).map((hex) => `${hex}:${hexPort}`)
}

function hexForms(address: string): string[] {
  if (address === '::1') return ['00000000000000000000000001000000']
  const octets = address.replace('::ffff:', '').split('.').map(Number)
  const hex = [...octets]
    .reverse()
    .map((octet) => octet.toString(16).toUpperCase().padStart(2, '0'))
    .join('')
  return [hex, `0000000000000000FFFF0000${hex}`]
}
