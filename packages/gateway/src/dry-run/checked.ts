// A dry run as a client reads it before it shows it: hashed again, and of the version that is to be signed. A signature
// names what its signer was shown, so what fails here is neither shown nor named. Pure; runs in browsers.
import { sha256Hex } from '../lib/canonical-json.ts'
import type { KeptDryRun } from './desk.ts'
import type { DryRunResult } from './dry-run.ts'

/** The result; throws where it is not the one that its digest names. */
export function hashedDryRun({ text, digest }: KeptDryRun): DryRunResult {
  if (sha256Hex(text) !== digest) {
    throw new Error('the gate shows another dry run than the one it names: do not sign')
  }
  return JSON.parse(text) as DryRunResult
}

/** The same; throws also where it is of another version than `of`, or against another epoch. */
export function checkedDryRun(
  kept: KeptDryRun,
  of: Pick<DryRunResult, 'from' | 'version'>,
): DryRunResult {
  const result = hashedDryRun(kept)
  if (
    result.format === 'seconder-dry-run@v1' &&
    result.from === of.from &&
    result.version === of.version
  ) {
    return result
  }
  throw new Error('the dry run that the gate shows is of another version: look again, then sign')
}
