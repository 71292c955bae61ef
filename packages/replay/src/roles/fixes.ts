// Fixes to paste: the deny that breaks a way at its first step, the guard of the gate's limbs, and how to
// trim a principal to what it uses.

import type { Identity } from './estate.ts'
import type { Fix, PrincipalRow } from './finding.ts'
import type { GateFacts, LimbChange } from './gate.ts'
import type { Edge } from './graph.ts'

/** Targets that a deny names; past it, it is for all of them. */
const NAMED_MAX = 10

/** What must be denied so that none of these steps can be taken; the ones that lead up. */
export function denyFix(identity: Identity, steps: readonly Edge[], keepsDeny: boolean): Fix {
  const policy = denyOf(steps)
  const byTrust = steps.filter(({ rows }) => rows[0] === 'sts-001').map(({ to }) => to.id)
  const words = [
    'Remove what leads up from its policies; until then, deny it.',
    ...(byTrust.length > 0
      ? [`Take it out of the trust of ${byTrust.slice(0, 3).join(', ')}.`]
      : []),
    ...(keepsDeny
      ? []
      : ['It can take a policy off itself: deny it in an SCP or a boundary instead.']),
  ]
  return { words: words.join(' '), policy, command: command(identity, policy) }
}

function denyOf(steps: readonly Edge[]): object {
  const byAction = new Map<string, Set<string>>()
  for (const { action, resource } of steps.flatMap(({ cuts }) => cuts)) {
    if (action !== '') byAction.set(action, (byAction.get(action) ?? new Set()).add(resource))
  }
  const byResources = Map.groupBy(byAction, ([, resources]) =>
    resources.size > NAMED_MAX ? '*' : [...resources].sort().join('\n'),
  )
  return {
    Version: '2012-10-17',
    Statement: [...byResources].map(([resources, actions], index) => ({
      Sid: `NoWayUp${index}`,
      Effect: 'Deny',
      Action: actions.map(([action]) => action).sort(),
      Resource: resources.split('\n'),
    })),
  }
}

function command({ kind, name }: Identity, policy: object): string {
  const what = `--${kind}-name ${quoted(name)} --policy-name seconder-no-way-up`
  return `aws iam put-${kind}-policy ${what} --policy-document ${quoted(JSON.stringify(policy))}`
}

/** An SCP that keeps everybody but the gate's keepers from its limbs. */
export function limbFix(changes: readonly LimbChange[], { own }: GateFacts): Fix {
  const resources = [...new Set(changes.map(({ resource }) => resource))].sort().slice(0, 20)
  const actions = [...new Set(changes.map(({ action }) => action))].sort()
  return {
    words: `Deny it by a service control policy, with an exception for the role that deploys the gate.`,
    policy: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'KeepTheGate',
          Effect: 'Deny',
          Action: actions,
          Resource: resources,
          Condition: {
            ArnNotLike: { 'aws:PrincipalArn': [own ?? 'ARN-OF-THE-ROLE-THAT-DEPLOYS-THE-GATE'] },
          },
        },
      ],
    },
    command:
      'aws organizations create-policy --type SERVICE_CONTROL_POLICY --name seconder-keep-the-gate --description "keeps the gate" --content file://scp.json',
  }
}

export function trimFix({ kind, arn, name }: PrincipalRow): Fix {
  return kind === 'role'
    ? {
        words: 'Write its policy from what it uses, and put what it rarely needs behind the gate.',
        command: `seconder roles audit authz.json --right-size ${quoted(arn)} --trail TRAIL`,
      }
    : {
        words:
          'Replace the user by a role that people or the gate assume, and remove its policies.',
        command: `aws iam list-attached-user-policies --user-name ${quoted(name)}`,
      }
}

/** One word of a shell, whatever an export says: names in it are nobody's to trust. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
