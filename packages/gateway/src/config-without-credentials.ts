// The gate's configuration for those who ask nothing of AWS: back-ups, audits, replays.
import { type Config, type Environ, loadConfig } from './config.ts'

/** What stands where the gate's own credentials would: they need not be there, and are never read. */
const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'not-used',
  AWS_SECRET_ACCESS_KEY: 'not-used',
  AWS_WEB_IDENTITY_TOKEN_FILE: '-',
  AWS_ROLE_ARN: '-',
}

/** As `loadConfig`, whose errors it has. */
export function configWithoutCredentials(path: string, environ: Environ = {}): Config {
  return loadConfig(path, { ...environ, ...NO_CREDENTIALS })
}
