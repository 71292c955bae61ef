// Where the gate's state is, as `seconder.yaml` says it: a file of its own, or a PostgreSQL that any number
// of gateways share.
import { z } from 'zod'
import { type PostgresAddress, parsePostgresUrl } from './postgres-address.ts'

export const STATE = z
  .string()
  .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)/, 'write sqlite:PATH or postgres://USER@HOST/DATABASE')
  .default('sqlite:.seconder/state.db')
/** The folder of what is this gateway's own, where the state is a PostgreSQL. */
export const LOCAL = z.string().min(1).default('.seconder')

export interface StateConfig {
  /**
   * Absolute path of the SQLite file. Its folder holds what is of this gateway alone (large bodies, notices
   * that wait, the CA of CONNECT mode), with PostgreSQL too.
   */
  readonly statePath: string
  /** The PostgreSQL that has the state; absent where the file has it. */
  readonly database?: PostgresAddress
}

/** Errors: `invalid_config`, without the URL. */
export function stateConfig(
  { state, local }: { state: string; local: string },
  environ: Readonly<Record<string, string | undefined>>,
  under: (name: string) => string,
): StateConfig {
  const where = environ['SECONDER_STATE'] ?? state
  if (!/^postgres(ql)?:/.test(where)) return { statePath: under(where.replace(/^sqlite:/, '')) }
  const folder = environ['SECONDER_LOCAL'] ?? local
  return { statePath: under(`${folder}/state.db`), database: parsePostgresUrl(where) }
}
