// The published trails under the default policy: everything is named, the staged attacks are asked for or
// refused, reads are not. Where the shared data is not there the tests are skipped with these words.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judgementOf } from './judge/judge.ts'
import type { Judgement } from './judge/judgement.ts'
import { loadRules } from './judge/load-rules.ts'
import type { Rules } from './judge/rules.ts'
import { type OpenTrail, openTrail, reportOn } from './replay.ts'

const TRAILS = join(import.meta.dirname, '../../../../shared/data/cloudtrail')

/**
 * What each staged attack does, by the name of its log. Source: the attack techniques of Stratus Red Team,
 * https://stratus-red-team.cloud/attack-techniques/AWS/ ("Detection" of each names the event).
 */
const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  'defense-evasion.cloudtrail-delete': ['cloudtrail:DeleteTrail'],
  'defense-evasion.cloudtrail-event-selectors': ['cloudtrail:PutEventSelectors'],
  'defense-evasion.cloudtrail-stop': ['cloudtrail:StopLogging'],
  'defense-evasion.dns-delete-logs': ['route53resolver:DeleteResolverQueryLogConfig'],
  'defense-evasion.organizations-leave': ['organizations:LeaveOrganization'],
  'defense-evasion.vpc-remove-flow-logs': ['ec2:DeleteFlowLogs'],
  'exfiltration.ec2-security-group-open-port-22-ingress': ['ec2:AuthorizeSecurityGroupIngress'],
  'exfiltration.ec2-share-ami': ['ec2:ModifyImageAttribute'],
  'exfiltration.ec2-share-ebs-snapshot': ['ec2:ModifySnapshotAttribute'],
  'exfiltration.rds-share-snapshot': ['rds:ModifyDBSnapshotAttribute'],
  'persistence.iam-backdoor-role': ['iam:UpdateAssumeRolePolicy'],
  'persistence.iam-backdoor-user': ['iam:CreateAccessKey'],
  'persistence.iam-create-admin-user': ['iam:AttachUserPolicy', 'iam:CreateAccessKey'],
  'persistence.iam-create-backdoor-role': ['iam:CreateRole', 'iam:AttachRolePolicy'],
  'persistence.iam-create-user-login-profile': ['iam:CreateLoginProfile'],
  'persistence.lambda-backdoor-function': ['lambda:AddPermission'],
  'persistence.lambda-layer-extension': ['lambda:UpdateFunctionConfiguration'],
  'persistence.lambda-overwrite-code': ['lambda:UpdateFunctionCode'],
  'persistence.rolesanywhere-create-trust-anchor': ['rolesanywhere:CreateTrustAnchor'],
  'persistence.sts-federation-token': ['sts:GetFederationToken'],
  'privilege-escalation.iam-update-user-login-profile': ['iam:UpdateLoginProfile'],
  'execution.ssm-send-command': ['ssm:SendCommand'],
  'execution.ssm-start-session': ['ssm:StartSession'],
}

describe.skipIf(!existsSync(TRAILS))(
  'the published trails (skipped where the shared data is not there)',
  () => {
    let rules: Rules
    let trail: OpenTrail
    beforeAll(async () => {
      rules = await loadRules()
      trail = await openTrail([TRAILS], { workers: 2 })
    })
    afterAll(() => trail.close())

    test('at least 99.5 % of the calls are mapped, and every other one is listed', () => {
      const { mapped, unmapped, unmappedCalls, events } = reportOn(trail, { rules })
      expect(events).toBe(3_313)
      expect(mapped / (mapped + unmapped)).toBeGreaterThanOrEqual(0.995)
      expect(unmappedCalls.reduce((sum, { count }) => sum + count, 0)).toBe(unmapped)
    })

    test('no change is allowed, and no read of plain data is asked for or refused', () => {
      const wrong: string[] = []
      const judgements = trail.store.calls.map((text) => judgementOf(text, undefined, rules))
      trail.store.calls.forEach((text, index) => {
        const { answer, operation, effect } = judgements[index] as Judgement
        if (answer === 'unmapped' || answer === 'not-an-api-call') return
        const { meaning } = JSON.parse(text) as { meaning: { reveals: string } }
        const isRead = effect === 'read' || effect === 'list'
        const passes = isRead && ['nothing', 'data'].includes(meaning.reveals)
        if ((answer === 'allowed') !== passes) wrong.push(`${operation} ${effect} ${answer}`)
      })
      expect(wrong).toEqual([])
    })

    test('each staged attack of Stratus is stopped or asked for, wherever it stands', async () => {
      const stratus = await openTrail([join(TRAILS, 'stratus-detonation-logs')], { workers: 1 })
      try {
        const { actions } = reportOn(stratus, { rules })
        for (const [attack, operations] of Object.entries(ATTACKS)) {
          for (const operation of operations) {
            const row = actions.find(({ name }) => name === operation)
            expect(row?.allowed, `${attack}: ${operation}`).toBe(0)
            const stopped = (row?.reviewed ?? 0) + (row?.denied ?? 0) + (row?.failed ?? 0)
            expect(stopped, `${attack}: ${operation}`).toBeGreaterThan(0)
          }
        }
      } finally {
        stratus.close()
      }
    })
  },
)
