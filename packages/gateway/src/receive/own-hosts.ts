// The names that mean the listeners of the gate: what a Host header may say, and the address people
// are told.
import type { AddressInfo } from 'node:net'
import type { Address } from '../config.ts'

export function urlOf(bound: AddressInfo, asked: Address): string {
  const host = asked.host.includes(':') ? `[${asked.host}]` : asked.host
  return `http://${host}:${bound.port}`
}

/** The same, with those that are names: an address has nothing before it. */
export function ownHosts(url: string): { hosts: string[]; names: string[] } {
  const hosts = hostsOf(url)
  return { hosts, names: hosts.filter((host) => !/^(?:\[|[0-9.]+(?::|$))/.test(host)) }
}

/** The Host values that mean this listener. */
export function hostsOf(url: string): string[] {
  if (url === '') return []
  const { host, port } = new URL(url)
  return [host, `127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]
}
