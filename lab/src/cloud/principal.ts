// The lab's own key table: which real access key belongs to which role, and who may assume what.
// It plays IAM's part. The keys of the gate's sessions are not in it, and so are refused.
import { randomBytes } from 'node:crypto'
import { CloudError } from './errors.ts'

export const ACCOUNT = '123456789012'
export const PARTITION = 'aws-cn'

/** Source: https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-arns.html */
export const REGIONS: readonly string[] = ['cn-north-1', 'cn-northwest-1']

/** Assumed-role sessions alive at once; a lab that needs more has a leak. */
export const SESSIONS_MAX = 1000

/** A role of the account. `mayAssume` names the roles that trust it. */
export interface LabRole {
  readonly name: string
  readonly mayAssume: readonly string[]
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface Principal {
  readonly role: LabRole
  readonly sessionName: string
  readonly credentials: Credentials
  /** Epoch milliseconds; absent for the long-lived keys of the lab. */
  readonly expiresAtMs?: number
  readonly sourceIdentity?: string
  readonly tags: ReadonlyMap<string, string>
}

/** `arn:aws-cn:iam::123456789012:role/<name>`. */
export function roleArn(name: string): string {
  return `arn:${PARTITION}:iam::${ACCOUNT}:role/${name}`
}

/** The ARN that GetCallerIdentity answers with. */
export function sessionArn(principal: Principal): string {
  const { role, sessionName } = principal
  return `arn:${PARTITION}:sts::${ACCOUNT}:assumed-role/${role.name}/${sessionName}`
}

/** A role id of the real shape (`AROA` and 17 characters), the same for one name in one process. */
export function roleId(name: string): string {
  const letters = Buffer.from(name.padEnd(17, 'X')).toString('hex').toUpperCase()
  return `AROA${letters.slice(0, 17)}`
}

function newAccessKeyId(prefix: 'AKIA' | 'ASIA'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  let id: string = prefix
  for (const byte of randomBytes(16)) id += alphabet[byte % alphabet.length]
  return id
}

export class KeyTable {
  readonly #roles = new Map<string, LabRole>()
  readonly #principals = new Map<string, Principal>()

  /** Adds a role and makes its long-lived key pair. */
  addRole(role: LabRole): Credentials {
    this.#roles.set(role.name, role)
    const credentials = {
      accessKeyId: newAccessKeyId('AKIA'),
      secretAccessKey: randomBytes(30).toString('base64'),
    }
    const principal = { role, sessionName: 'lab', credentials, tags: new Map<string, string>() }
    this.#principals.set(credentials.accessKeyId, principal)
    return credentials
  }

  secretOf(accessKeyId: string): string | undefined {
    return this.#principals.get(accessKeyId)?.credentials.secretAccessKey
  }

  find(accessKeyId: string): Principal | undefined {
    return this.#principals.get(accessKeyId)
  }

  /**
   * Credentials of a new session of `arn`, for `caller`.
   *
   * AccessDenied (403) where the role is unknown or does not trust the caller: STS answers both
   * alike. Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
   */
  assume(
    caller: Principal,
    arn: string,
    session: Pick<Principal, 'sessionName' | 'tags'> & { readonly sourceIdentity?: string },
    expiresAtMs: number,
    nowMs: number,
  ): Principal {
    const role = [...this.#roles.values()].find((candidate) => roleArn(candidate.name) === arn)
    if (role === undefined || !caller.role.mayAssume.includes(role.name)) {
      const who = sessionArn(caller)
      const message =
        `User: ${who} is not authorized to perform: sts:AssumeRole on ` + `resource: ${arn}`
      throw new CloudError('AccessDenied', message, 403)
    }
    this.#dropExpired(nowMs)
    if (this.#principals.size >= SESSIONS_MAX) {
      throw new CloudError('InternalFailure', 'the lab has too many open sessions', 500)
    }
    const credentials = {
      accessKeyId: newAccessKeyId('ASIA'),
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(96).toString('base64'),
    }
    const principal: Principal = { role, credentials, expiresAtMs, ...session }
    this.#principals.set(credentials.accessKeyId, principal)
    return principal
  }

  #dropExpired(nowMs: number): void {
    for (const [id, principal] of this.#principals) {
      if (principal.expiresAtMs !== undefined && principal.expiresAtMs <= nowMs) {
        this.#principals.delete(id)
      }
    }
  }
}
