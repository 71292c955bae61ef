// Names the program behind a user agent, so that the calls of one agent stand together whatever its
// version. What a client says of itself is a claim: it groups a report and decides nothing.

/**
 * Words in a user agent, the most telling first. Source: the AWS CLI and SDKs put the environment they
 * run in behind `exec-env/` or append AWS_SDK_UA_APP_ID as `app/`
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html); Terraform and CloudFormation as seen in trails.
 */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/\bkiro/i, 'Kiro'],
  [/claude[-_ ]?code/i, 'Claude Code'],
  [/\bcodex\b/i, 'Codex'],
  [/\bcursor\b/i, 'Cursor'],
  [/gemini[-_ ]?cli/i, 'Gemini CLI'],
  [/amazon[-_ ]?q\b|AmazonQ/i, 'Amazon Q'],
  [/copilot/i, 'Copilot'],
  [/\bseconder/i, 'Seconder'],
  [/stratus-red-team/i, 'Stratus Red Team'],
  [/terraform|opentofu/i, 'Terraform'],
  [/pulumi/i, 'Pulumi'],
  [/aws-cdk|\bcdk\b/i, 'AWS CDK'],
  [/^aws-cli|\[?aws-cli\//i, 'AWS CLI'],
  [/boto3?\//i, 'Boto3'],
  [/^(console\.|signin\.)|S3Console|aws-internal.*console|Mozilla\//i, 'AWS console'],
  [/^AWS Internal$/i, 'AWS Internal'],
  [/aws-sdk-go/i, 'AWS SDK for Go'],
  [/aws-sdk-js|aws-sdk-nodejs/i, 'AWS SDK for JavaScript'],
  [/aws-sdk-java/i, 'AWS SDK for Java'],
  [/aws-sdk-rust/i, 'AWS SDK for Rust'],
]

/** Those of them that act by themselves. */
export const CODING_AGENTS: ReadonlySet<string> = new Set([
  'Kiro',
  'Claude Code',
  'Codex',
  'Cursor',
  'Gemini CLI',
  'Amazon Q',
  'Copilot',
])

/** Characters of a name of no known program. */
const NAME_MAX = 60

/** The program; `unknown` for none, the first word without its version for any other. */
export function agentName(userAgent: string): string {
  const said = userAgent.slice(0, 2_048)
  if (said === '') return 'unknown'
  const app = /\bapp\/([\w.-]{1,50})/.exec(said)?.[1]
  for (const [pattern, name] of PROGRAMS) if (pattern.test(said)) return name
  if (app !== undefined) return app
  const first = /^\[?([^\s/;,\]]+)/.exec(said)?.[1] ?? 'unknown'
  return first.slice(0, NAME_MAX)
}
