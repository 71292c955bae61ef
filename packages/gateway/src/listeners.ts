// Opens the two doors of a gate: the people's API with the console, and the AWS door of the agents.
import type http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createApi } from './api/api.ts'
import { servePeople } from './api/people-server.ts'
import type { Config } from './config.ts'
import type { Gate } from './gate.ts'
import type { Isolation } from './identify/caller.ts'
import { InFlight } from './lib/in-flight.ts'
import { closed, once } from './lib/listening.ts'
import { BODY_TIMES } from './receive/body.ts'
import type { ConnectDoor } from './receive/connect/connect-door.ts'
import { answerDoor } from './receive/door.ts'
import { createDoorServer } from './receive/listener.ts'
import { hostsOf, ownHosts, urlOf } from './receive/own-hosts.ts'
import { peerOf } from './receive/peer.ts'
import type { Spool } from './receive/spool.ts'

/**
 * How long a stopping gate waits for the calls that it began, in milliseconds: less than the 30 s after which
 * Kubernetes kills. What takes longer has no outcome, and becomes `unknown` at the next start.
 */
export const DRAIN_MS = 25_000

/** How far the peer of a connection is from the gate. */
export type Measure = (socket: Socket) => Isolation | Promise<Isolation>

export interface ListenerParts {
  readonly config: Config
  readonly tunnels: ConnectDoor
  readonly gate: Gate
  readonly spool: Spool
  readonly measure: Measure
  /** Told once the console listens, and waited for before any agent is heard. */
  readonly consoleListens: (url: string) => Promise<void>
}

export interface Listening {
  readonly awsUrl: string
  readonly consoleUrl: string
  /** Calls that are being answered, and connections of agents and of people. */
  readonly load: () => Promise<Load>
  /** Takes nothing new, and waits for what is being answered, DRAIN_MS at most. */
  stop(): Promise<void>
}

export interface Load {
  readonly answering: number
  readonly agents: number
  readonly people: number
}

export async function openListeners(parts: ListenerParts): Promise<Listening> {
  const { config, tunnels, gate } = parts
  let consoleUrl = ''
  const app = createApi(gate, () => [
    ...hostsOf(consoleUrl),
    ...gate.people.relyingParty().origins.map((origin) => new URL(origin).host),
  ])
  const people = await servePeople(app.fetch, config.listen.console)
  consoleUrl = urlOf(people.address, config.listen.console)
  await parts.consoleListens(consoleUrl)
  const { door, awsUrl, inFlight } = await openDoor(parts).catch(async (cause: unknown) => {
    // A start that fails leaves nobody listening.
    await closed(people.server)
    throw cause
  })
  const stop = async () => {
    // The port is let go of at once; connections last as long as what is answered on them.
    door.close()
    await inFlight.ended(config.drainMs ?? DRAIN_MS)
    tunnels.close()
    await Promise.all([closed(door), closed(people.server)])
  }
  const load = async () => ({
    answering: inFlight.count,
    agents: await connectionsOf(door),
    people: await connectionsOf(people.server),
  })
  return { awsUrl, consoleUrl, load, stop }
}

/** 0 for a server that listens no more. */
function connectionsOf(server: http.Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((cause, count) => resolve(cause ? 0 : count))
  })
}

async function openDoor(
  parts: ListenerParts,
): Promise<{ door: http.Server; awsUrl: string; inFlight: InFlight }> {
  const { config, tunnels, gate, spool, measure } = parts
  const times = { ...BODY_TIMES, idleMs: config.uploads?.idleMs ?? BODY_TIMES.idleMs }
  const begin = (incoming: http.IncomingMessage) => gate.telemetry.begin(incoming)
  const intake = { gateway: gate.gateway, spool, times, begin }
  const inFlight = new InFlight()
  let awsUrl = ''
  // Made again only where the address became known since; nobody is answered by name before that.
  const madeFor = (url: string) => ({ url, ...ownHosts(url), named: null, measure, peer: peerOf })
  let own = madeFor('')
  const door = createDoorServer((incoming, outgoing, isAwaited) => {
    if (own.url !== awsUrl) own = madeFor(awsUrl)
    const facts = tunnels.factsOf(incoming.socket, own)
    // An effect ends with its outcome also where its client has gone, and an answer is out only when sent.
    const sent = new Promise((resolve) => outgoing.once('close', resolve))
    inFlight.add(Promise.all([answerDoor(intake, incoming, outgoing, facts, isAwaited), sent]))
  })
  tunnels.attach(door)
  door.listen(config.listen.aws.port, config.listen.aws.host)
  await once(door)
  awsUrl = urlOf(door.address() as AddressInfo, config.listen.aws)
  return { door, awsUrl, inFlight }
}
