// The part of seconder.yaml about notifications alone, for `seconder notify`: it needs no credentials of AWS.
import { below, type Environ, parseFile } from '../config.ts'
import { type NotifyConfig, notifyConfig } from './notify-config.ts'

/** Null where the file tells nobody. Errors: `invalid_config`. */
export function loadNotify(path: string, environ: Environ): NotifyConfig | null {
  const { notify } = parseFile(path)
  return notify ? notifyConfig(notify, { environ, under: (name) => below(path, name) }) : null
}
