// Look-ups of rights and rules: IAM roles, users and policies, event rules. What would lose its rights, or
// who would get them, is what a reviewer has to see.
import type { Kind, Touch } from './kind.ts'

const IAM = 'https://docs.aws.amazon.com/IAM/latest/APIReference'

const ROLE: Touch = { name: ['RoleName'], fate: 'changed', undo: 'unknown' }
const USER: Touch = { name: ['UserName'], fate: 'changed', undo: 'unknown' }

export const RIGHTS_KINDS: readonly Kind[] = [
  {
    noun: 'role',
    read: 'iam:GetRole',
    input: { RoleName: '$' },
    at: 'Role',
    absent: ['NoSuchEntity'],
    id: ['RoleId', 'Arn'],
    holds: [['RoleLastUsed.LastUsedDate', 'time', 'last used']],
    data: 'never',
    tags: 'Tags.member',
    more: [
      {
        what: 'attached policies',
        read: 'iam:ListAttachedRolePolicies',
        input: { RoleName: '$' },
        at: 'AttachedPolicies.member',
        absent: ['NoSuchEntity'],
        tells: [{ count: 'attached policy', uses: ['policy', 'PolicyName'] }],
      },
      {
        what: 'instance profiles',
        read: 'iam:ListInstanceProfilesForRole',
        input: { RoleName: '$' },
        at: 'InstanceProfiles.member',
        absent: ['NoSuchEntity'],
        tells: [{ uses: ['instance profile', 'InstanceProfileName'] }],
      },
    ],
    touches: {
      'iam:DeleteRole': { name: ['RoleName'], fate: 'deleted', undo: 'unknown' },
      'iam:AttachRolePolicy': ROLE,
      'iam:DeleteRolePolicy': ROLE,
      'iam:DetachRolePolicy': ROLE,
      'iam:PutRolePolicy': ROLE,
      'iam:UpdateAssumeRolePolicy': ROLE,
      'iam:PutRolePermissionsBoundary': ROLE,
      'iam:DeleteRolePermissionsBoundary': ROLE,
    },
    source: `${IAM}/API_GetRole.html`,
  },
  {
    noun: 'policy',
    read: 'iam:GetPolicy',
    input: { PolicyArn: '$' },
    at: 'Policy',
    absent: ['NoSuchEntity'],
    id: ['PolicyId', 'Arn'],
    bound: ['DefaultVersionId'],
    holds: [['AttachmentCount', 'attachments']],
    data: 'never',
    tags: 'Tags.member',
    more: [
      {
        what: 'who has it',
        read: 'iam:ListEntitiesForPolicy',
        input: { PolicyArn: '$' },
        at: '',
        absent: ['NoSuchEntity'],
        tells: [
          { uses: ['role', 'PolicyRoles.member.RoleName'] },
          { uses: ['user', 'PolicyUsers.member.UserName'] },
          { uses: ['group', 'PolicyGroups.member.GroupName'] },
        ],
      },
    ],
    touches: {
      'iam:DeletePolicy': { name: ['PolicyArn'], fate: 'deleted', undo: 'unknown' },
      'iam:CreatePolicyVersion': { name: ['PolicyArn'], fate: 'changed', undo: 'unknown' },
      'iam:SetDefaultPolicyVersion': { name: ['PolicyArn'], fate: 'changed', undo: 'yes' },
    },
    source: `${IAM}/API_GetPolicy.html`,
  },
  {
    noun: 'user',
    read: 'iam:GetUser',
    input: { UserName: '$' },
    at: 'User',
    absent: ['NoSuchEntity'],
    id: ['UserId', 'Arn'],
    holds: [['PasswordLastUsed', 'time', 'last used']],
    data: 'never',
    tags: 'Tags.member',
    more: [
      {
        what: 'groups',
        read: 'iam:ListGroupsForUser',
        input: { UserName: '$' },
        at: 'Groups.member',
        absent: ['NoSuchEntity'],
        tells: [{ uses: ['group', 'GroupName'] }],
      },
    ],
    touches: {
      'iam:DeleteUser': { name: ['UserName'], fate: 'deleted', undo: 'unknown' },
      'iam:AttachUserPolicy': USER,
      'iam:DetachUserPolicy': USER,
      'iam:PutUserPolicy': USER,
    },
    source: `${IAM}/API_GetUser.html`,
  },
  {
    noun: 'event rule',
    read: 'events:DescribeRule',
    input: { Name: '$', EventBusName: '$parent' },
    at: '',
    absent: ['ResourceNotFoundException'],
    id: ['Arn'],
    bound: ['State'],
    holds: [
      ['State', 'text'],
      ['ScheduleExpression', 'text'],
    ],
    data: 'never',
    arn: '@Arn',
    more: [
      {
        what: 'targets',
        read: 'events:ListTargetsByRule',
        input: { Rule: '$', EventBusName: '$parent' },
        at: 'Targets',
        tells: [{ count: 'target', uses: ['target', 'Arn'] }],
      },
    ],
    touches: {
      'events:DeleteRule': {
        name: ['Name'],
        parent: { path: 'EventBusName', otherwise: 'default' },
        fate: 'deleted',
      },
      'events:DisableRule': {
        name: ['Name'],
        parent: { path: 'EventBusName', otherwise: 'default' },
        fate: 'changed',
        effect: 'stop',
        undo: 'yes',
      },
    },
    source: 'https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html',
  },
]
