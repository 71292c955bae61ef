// An audit as SARIF 2.1.0, for code scanning and whatever else reads it. One result a finding, by stable
// rule ids; a fingerprint that holds from run to run.
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html

import { createHash } from 'node:crypto'
import type { Audit, Finding, Severity } from '../finding.ts'
import { RULES, type RuleId } from '../rules.ts'

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  note: 'note',
}
/**
 * What GitHub sorts by, `security-severity`. Source:
 * https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 */
const SCORES: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  note: '0.5',
}

export function sarifOf(audit: Audit, file: string, version: string): object {
  const used = [...new Set(audit.findings.map(({ rule }) => rule))].sort()
  const worst = (rule: RuleId) =>
    audit.findings.find((each) => each.rule === rule)?.severity ?? 'note'
  return {
    $schema:
      'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'seconder roles audit',
            version,
            informationUri: 'https://pathfinding.cloud/',
            rules: used.map((id) => ({
              id,
              name: nameOf(id),
              shortDescription: { text: sentence(RULES[id].about) },
              help: { text: sentence(RULES[id].help) },
              helpUri: RULES[id].source,
              defaultConfiguration: { level: LEVELS[worst(id)] },
              properties: { 'security-severity': SCORES[worst(id)], tags: ['security', 'iam'] },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: audit.whole,
            toolExecutionNotifications: audit.faults.map(({ kind, where, what }) => ({
              level: 'warning',
              message: { text: `${where}: ${what}` },
              descriptor: { id: kind },
            })),
          },
        ],
        results: audit.findings.map((finding) => resultOf(finding, used, file)),
      },
    ],
  }
}

function resultOf(finding: Finding, rules: readonly RuleId[], file: string): object {
  const { rule, severity, subject, title, words, dependsOn, environments, fix, path } = finding
  const depends = dependsOn.length > 0 ? ` Depends on: ${dependsOn.join('; ')}.` : ''
  return {
    ruleId: rule,
    ruleIndex: rules.indexOf(rule),
    level: LEVELS[severity],
    kind: 'fail',
    message: { text: `${subject}: ${title}. ${words === title ? '' : words}${depends}`.trim() },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: { startLine: 1 },
        },
        logicalLocations: [{ fullyQualifiedName: subject, kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'seconderRoles/v1': fingerprint(finding) },
    properties: {
      severity,
      environments,
      fix,
      path: path.map(({ from, to, rows, truth }) => ({ from, to, rows, truth })),
    },
  }
}

function fingerprint({ rule, subject, evidence }: Finding): string {
  const [first] = evidence
  const parts = [rule, subject, first?.policy ?? '', first?.statement ?? '']
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

function nameOf(id: RuleId): string {
  const words = id.split(/[/-]/)
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** A relative reference with what is not allowed in one in percent encoding. */
function uriOf(file: string): string {
  return file.split('\\').join('/').split('/').map(encodeURIComponent).join('/').replace(/^\/+/, '')
}
