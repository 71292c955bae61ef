// The callers of a made-up account: people, pipelines, programs, services and one agent. Nobody of them is
// real; the account is one of the examples of AWS's own documentation.

import type { Random } from './random.ts'

export const ACCOUNT = '123456789012'
export const REGION = 'eu-west-1'

/** One session: what all its events say of who calls, and from where. */
export interface CallerSession {
  readonly identity: object
  readonly userAgent: string
  readonly sourceIPAddress: string
}

export interface Caller {
  readonly role: string
  readonly userAgent: string
  readonly session: (random: Random) => string
  /** The service that calls for the role. */
  readonly invokedBy?: string
  readonly sourceIdentity?: string
}

export const CALLERS = {
  agent: {
    role: 'agent-deploy',
    userAgent: 'aws-cli/2.32.3 md/awscrt#0.29.0 os/linux#6.8 lang/python#3.13.7 app/kiro-cli',
    session: (random) => `kiro-${random.hex(8)}`,
    sourceIdentity: 'dana',
  },
  pipeline: {
    role: 'ci-terraform',
    userAgent:
      'APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-aws/6.18.0 aws-sdk-go-v2/1.39.6 os/linux lang/go#1.24.9',
    session: (random) => `run-${100_000 + random.below(900_000)}`,
  },
  person: {
    role: 'AWSReservedSSO_Operator_4c1d2e3f4a5b6c7d',
    userAgent:
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    session: (random) => random.one(['ann@example.com', 'ben@example.com', 'cleo@example.com']),
  },
  shop: {
    role: 'shop-api',
    userAgent: 'aws-sdk-nodejs/3.921.0 Linux/v24.11.0 exec-env/AWS_Lambda_nodejs24.x promise',
    session: (random) => random.one(['shop-api-blue', 'shop-api-green']),
  },
  reports: {
    role: 'reports-task',
    userAgent: 'Boto3/1.40.71 md/Botocore#1.40.71 os/linux#5.10 lang/python#3.13.7',
    session: (random) => random.hex(32),
  },
  monitoring: {
    role: 'monitoring-read',
    userAgent: 'aws-sdk-go-v2/1.39.6 os/linux lang/go#1.24.9 md/GOOS#linux',
    session: (random) => `scrape-${random.below(400)}`,
  },
  cloudFormation: {
    role: 'cfn-execution',
    userAgent: 'cloudformation.amazonaws.com',
    session: () => 'AWSCloudFormation',
    invokedBy: 'cloudformation.amazonaws.com',
  },
} as const satisfies Readonly<Record<string, Caller>>

export type CallerName = keyof typeof CALLERS

/** A new session of a caller at a time; its key and its times are made up. */
export function sessionOf(name: CallerName, at: string, random: Random): CallerSession {
  const caller: Caller = CALLERS[name]
  const session = caller.session(random)
  const principal = `AROA${random.letters(17)}`
  const { role, userAgent, invokedBy, sourceIdentity } = caller
  const identity = {
    type: 'AssumedRole',
    principalId: `${principal}:${session}`,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${session}`,
    accountId: ACCOUNT,
    accessKeyId: `ASIA${random.letters(16)}`,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: principal,
        arn: `arn:aws:iam::${ACCOUNT}:role/${role}`,
        accountId: ACCOUNT,
        userName: role,
      },
      attributes: { creationDate: at, mfaAuthenticated: 'false' },
      ...(sourceIdentity !== undefined && { sourceIdentity }),
    },
    ...(invokedBy !== undefined && { invokedBy }),
  }
  const sourceIPAddress =
    invokedBy ?? `10.${random.below(4)}.${random.below(256)}.${random.below(256)}`
  return { identity, userAgent, sourceIPAddress }
}
