// The rules by stable id: what each says, and where the danger is described. A rule keeps its id for ever;
// what it finds may only become more.

export interface Rule {
  readonly about: string
  readonly help: string
  readonly source: string
}

const IAM = 'https://docs.aws.amazon.com/IAM/latest/UserGuide'

export const RULES = {
  'roles/unread': {
    about: 'something of a principal could not be read',
    help: 'its answers are never certain; export the account again, whole',
    source:
      'https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html',
  },
  'roles/export-not-whole': {
    about: 'the export is cut, damaged or one page of several',
    help: 'who stands behind the cut is in no answer; export again, whole',
    source:
      'https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html',
  },
  'roles/rules-account': {
    about: 'a principal may do anything in its account, without a reviewer',
    help: 'give it what it uses (--right-size), and keep the rest for a role that only the gate lends',
    source: `${IAM}/best-practices.html#grant-least-privilege`,
  },
  'roles/escalates-to-admin': {
    about: 'a principal can become one that may do anything in its account',
    help: 'take away one step of the way',
    source: 'https://pathfinding.cloud/',
  },
  'roles/reaches-destruction': {
    about: 'a principal can become one that destroys more than itself may',
    help: 'take away one step of the way',
    source: 'https://pathfinding.cloud/',
  },
  'roles/destroys': {
    about: 'a principal may take things down directly in AWS, without a reviewer',
    help: 'remove the actions, or put the principal behind the gate',
    source: `${IAM}/best-practices.html#grant-least-privilege`,
  },
  'roles/edits-the-gate': {
    about:
      'a principal can change what the gate stands on: its roles, their trust, its log or policies',
    help: 'deny it by an SCP with an exception for those who keep the gate',
    source: `${IAM}/reference_policies_evaluation-logic.html`,
  },
  'roles/goes-round-the-gate': {
    about: 'a principal can act on production without the gate',
    help: 'let production roles trust the gate alone, and apply the SCP of `seconder init aws`',
    source: `${IAM}/reference_policies_evaluation-logic.html`,
  },
  'roles/trust-everybody': {
    about: 'a role can be assumed by everybody',
    help: 'name the principals, or add a condition on aws:PrincipalOrgID',
    source: `${IAM}/reference_policies_elements_principal.html`,
  },
  'roles/trust-not-principal': {
    about: 'a role can be assumed by everybody but a few',
    help: 'name the principals that may, not those that may not',
    source: `${IAM}/reference_policies_elements_notprincipal.html`,
  },
  'roles/trust-external': {
    about: 'a role can be assumed from an account that is not in the export or the configuration',
    help: 'ask for sts:ExternalId, or name the account under trustedAccounts',
    source: `${IAM}/confused-deputy.html`,
  },
  'roles/trust-whole-account': {
    about: 'a role trusts its whole account: everybody there with sts:AssumeRole on it gets in',
    help: 'name the principals',
    source: `${IAM}/reference_policies_elements_principal.html#principal-accounts`,
  },
  'roles/trust-gone-principal': {
    about: 'a role trusts a principal that was deleted',
    help: 'remove the entry; the id can never be used again, but nobody can tell what it was',
    source: `${IAM}/reference_identifiers.html#identifiers-unique-ids`,
  },
  'roles/oidc-no-subject': {
    about: 'a role trusts an OIDC provider whoever the token is for',
    help: 'add a condition on the `sub` of the token that names the repository and branch',
    source: `${IAM}/id_roles_create_for-idp_oidc.html`,
  },
  'roles/oidc-wide-subject': {
    about: 'a role trusts tokens of more repositories or branches than one',
    help: 'name repository and branch or environment in the `sub`',
    source: `${IAM}/id_roles_create_for-idp_oidc.html#idp_oidc_Create_GitHub`,
  },
  'roles/oidc-no-audience': {
    about: 'a role trusts an identity provider whatever application the token is for',
    help: 'add a condition on the `aud` of the token',
    source: `${IAM}/reference_policies_iam-condition-keys.html#condition-keys-wif`,
  },
  'roles/confused-deputy': {
    about: 'a role trusts a service without saying for whose resources',
    help: 'add a condition on aws:SourceAccount or aws:SourceArn',
    source: `${IAM}/confused-deputy.html#cross-service-confused-deputy-prevention`,
  },
  'roles/unused': {
    about: 'a principal may take things down and did nothing of the kind in the whole trail',
    help: 'write the policy from what it uses: --right-size',
    source: `${IAM}/best-practices.html#remove-credentials`,
  },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleId = keyof typeof RULES
