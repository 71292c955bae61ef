// Measures how far the sender of a connection is from the gate, from facts of the kernel alone.
// What cannot be measured is `none`: the least that can be true.
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { Isolation } from '../identify/caller.ts'

const measured = new WeakMap<Socket, Promise<Isolation>>()

/** Returns the isolation of the peer; measured once for each connection, since a peer cannot change. */
export function measureIsolation(socket: Socket): Promise<Isolation> {
  let isolation = measured.get(socket)
  if (!isolation) {
    isolation = measure(socket)
    measured.set(socket, isolation)
  }
  return isolation
}

async function measure(socket: Socket): Promise<Isolation> {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined || remotePort === undefined) return 'none'
  if (!isLoopback(remoteAddress)) return 'host'
  const uid = await ownerOf(remoteAddress, remotePort)
  // Root reads every file of the gate, so a root agent is as near as the gate's own user.
  if (uid === undefined || uid === 0 || uid === process.getuid?.()) return 'none'
  return 'user'
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}

/**
 * The uid that owns the socket bound to this address and port, from /proc/net/tcp and tcp6.
 * Source: Linux kernel, Documentation/networking/proc_net_tcp.rst (columns local_address, uid).
 */
async function ownerOf(address: string, port: number): Promise<number | undefined> {
  const wantedPort = port.toString(16).toUpperCase().padStart(4, '0')
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let table: string
    try {
      table = await readFile(file, 'latin1')
    } catch {
      continue // no procfs, or no IPv6: not measured, so the caller says `none`
    }
    for (const host of hexForms(address)) {
      // Each line is `  sl: local_address remote_address ...`; a busy machine has thousands, so the one
      // wanted is searched for, not every line split.
      const at = table.indexOf(`: ${host}:${wantedPort} `)
      if (at === -1) continue
      const columns = table
        .slice(at + 2, table.indexOf('\n', at))
        .trim()
        .split(/\s+/)
      return Number(columns[6])
    }
  }
  return undefined
}

/** An IPv4 loopback address as the kernel prints it: little-endian hex, plain or mapped into IPv6. */
function hexForms(address: string): string[] {
  if (address === '::1') return ['00000000000000000000000001000000']
  const octets = address.replace('::ffff:', '').split('.').map(Number)
  const hex = [...octets]
    .reverse()
    .map((octet) => octet.toString(16).toUpperCase().padStart(2, '0'))
    .join('')
  return [hex, `0000000000000000FFFF0000${hex}`]
}
