// Names every place on this host that the wall stands on (red team C2): where secrets lie, which nobody else
// may read, and what decides or records, which nobody else may change. Pure but for the name of the build.
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'

export interface Place {
  readonly what: string
  readonly path: string
  /** `secret`: nobody else may read or change it. `unchanged`: nobody else may change it. */
  readonly rule: 'secret' | 'unchanged'
}

const BUILD = join(import.meta.dirname, '..', '..', '..', '..')

/** The places of a gate with this configuration; some of them are made at its first start. */
export function placesOf(config: Config): Place[] {
  const { statePath, ledgerDirectory, policiesDirectory, roleReachPath, configPath } = config
  const folder = dirname(statePath)
  const state = ['', '-wal', '-shm'].map((end) => `${statePath}${end}`)
  const unchanged = (what: string, path: string | undefined): Place[] =>
    path === undefined ? [] : [{ what, path, rule: 'unchanged' }]
  return [
    ...state.map((path) => secret('the state, with the keys of sessions', path)),
    secret("the ledger's key", ledgerKeyPath(config)),
    secret('the key of CONNECT mode', join(folder, 'connect', 'ca.key')),
    secret('what is told to whom', join(folder, 'notify.db')),
    ...(config.metrics ? [secret('the token of the metrics', config.metrics.tokenFile)] : []),
    ...(config.notify?.secretFiles ?? []).map((path) => secret('a secret of a channel', path)),
    ...credentialPlaces(config),
    ...unchanged('the ledger', ledgerDirectory),
    ...unchanged('the policies', policiesDirectory),
    ...unchanged('the configuration', configPath),
    ...unchanged('the reach of roles', roleReachPath),
    ...unchanged('the build of Seconder', join(BUILD, 'packages')),
    ...unchanged('its dependencies', join(BUILD, 'node_modules')),
  ]
}

/** Gateways that share a ledger share its key, beside it. */
function ledgerKeyPath({ database, ledgerDirectory, statePath }: Config): string {
  return database ? `${ledgerDirectory}.key` : join(dirname(statePath), 'ledger.key')
}

function secret(what: string, path: string): Place {
  return { what, path, rule: 'secret' }
}

/** Where the gate's own credentials lie, as far as they lie in files. */
function credentialPlaces({ upstream: { credentials } }: Config): Place[] {
  if (!('from' in credentials)) return []
  const what = "the gate's own credentials"
  if (credentials.from === 'web-identity') return [secret(what, credentials.tokenFile)]
  if (credentials.from === 'instance') return []
  return [secret(what, credentials.credentialsFile), secret(what, credentials.configFile)]
}
