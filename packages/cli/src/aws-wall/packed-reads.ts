// Packs the reads of services into the room that an SCP leaves, the most wanted first. What does not fit is
// closed to everybody but the exceptions, and is said. Pure.
import { readPatterns } from '@seconder/aws/iam/read-patterns'

export interface Wanted {
  readonly patterns: readonly string[]
  /** Reads under these patterns whose answer is a credential. */
  readonly credentials: readonly string[]
  /** Services, or verbs of one, whose reads are closed. */
  readonly closed: readonly string[]
}

/** The services of most accounts, by IAM prefix, the most wanted first. */
export const USUAL_SERVICES: readonly string[] = [
  ...[
    'sts',
    'iam',
    'ec2',
    's3',
    'cloudformation',
    'cloudwatch',
    'logs',
    'lambda',
    'dynamodb',
    'rds',
  ],
  ...['sqs', 'sns', 'kms', 'route53', 'elasticloadbalancing', 'autoscaling', 'ecs', 'eks', 'ecr'],
  ...['cloudtrail', 'config', 'events', 'scheduler', 'states', 'ssm', 'tag', 'organizations', 'ce'],
  ...['cloudfront', 'apigateway', 'acm', 'elasticache', 'kinesis', 'firehose', 'athena', 'glue'],
  ...['redshift', 'es', 'elasticfilesystem', 'backup', 'codebuild', 'codedeploy', 'codepipeline'],
  ...[
    'secretsmanager',
    'guardduty',
    'securityhub',
    'inspector2',
    'access-analyzer',
    'wafv2',
    'shield',
  ],
  ...['health', 'support', 'budgets', 'servicediscovery', 'ram', 'kafka', 'batch', 'pipes', 'xray'],
  ...['application-autoscaling', 'cognito-idp', 'elasticbeanstalk', 'fsx', 'dms', 'ds', 'ses'],
  ...['bedrock', 'sagemaker', 'elasticmapreduce', 'codecommit', 'resource-explorer-2'],
]

/** Patterns with their quotes and commas in at most `charsMax` characters, one service after the other. */
export function packed(services: readonly string[], charsMax: number): Wanted {
  const patterns: string[] = []
  const credentials: string[] = []
  const closed: string[] = []
  let chars = 0
  for (const prefix of new Set(services)) {
    const reads = readPatterns(prefix)
    const more = JSON.stringify(reads.patterns).length - 1
    if (reads.patterns.length === 0 || chars + more > charsMax) {
      closed.push(prefix)
      continue
    }
    chars += more
    patterns.push(...reads.patterns)
    credentials.push(...reads.credentials)
    closed.push(...reads.left)
  }
  return { patterns, credentials, closed }
}
