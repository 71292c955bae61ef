// Where a connection comes from, as a name that can be compared: the user at its other end on this host, else
// its address. A token that was made there is worth nothing elsewhere.
import type { Socket } from 'node:net'
import { isLoopback, peerUid } from './isolation.ts'

const named = new WeakMap<Socket, Promise<string | null>>()

/** Null where it cannot be told; looked at once for each connection, since a peer cannot change. */
export function peerOf(socket: Socket | undefined): Promise<string | null> {
  if (!socket) return Promise.resolve(null)
  let peer = named.get(socket)
  if (!peer) {
    peer = nameOf(socket)
    named.set(socket, peer)
  }
  return peer
}

async function nameOf(socket: Socket): Promise<string | null> {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return null
  if (!isLoopback(remoteAddress)) return `address ${remoteAddress}`
  const uid = await peerUid(socket)
  return uid === undefined ? null : `user ${uid}`
}
