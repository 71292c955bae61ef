// Words for a refusal of STS where the gate asks for its own identity: the code, never the text.
import { StsRefusal } from '../assume-role.ts'
import { unavailable } from './credential-source.ts'

/** The error as `credentials_unavailable`; anything that is no refusal of STS stays what it is. */
export function refusedBySts(cause: unknown, roleArn: string): unknown {
  if (!(cause instanceof StsRefusal)) return cause
  return unavailable(`AWS STS answered ${cause.code} for \`${roleArn}\``, { cause })
}
