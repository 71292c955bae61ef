// Reads plans that act by the clock or in bulk: snapshot and backup retention, scheduled scaling, S3
// Batch Operations. Which things they will meet is not in them, so most resources stay `*`.

import type { JsonObject } from '../call.ts'
import { isObject } from '../describe/decode-json.ts'
import { type Drafts, listAt, memberIn, objectAt, textIn } from './drafts.ts'

/** DLM. Source: https://docs.aws.amazon.com/dlm/latest/APIReference/API_PolicyDetails.html */
export function readSnapshotLifecycle(parameters: JsonObject, drafts: Drafts): void {
  const role = textIn(parameters, 'ExecutionRoleArn') ?? null
  const details = objectAt(parameters, 'PolicyDetails')
  const kind = textIn(details, 'PolicyType') ?? 'EBS_SNAPSHOT_MANAGEMENT'
  const make = kind === 'IMAGE_MANAGEMENT' ? 'CreateImage' : 'CreateSnapshot'
  const end =
    kind === 'IMAGE_MANAGEMENT' ? ['DeregisterImage', 'DeleteSnapshot'] : ['DeleteSnapshot']
  for (const api of [make, ...end]) {
    drafts.add({ sdk: 'ec2', api, parameters: {}, role, at: 'PolicyDetails' })
  }
}

/** AWS Backup. Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html */
export function readBackupPlan(parameters: JsonObject, drafts: Drafts): void {
  for (const [index, rule] of listAt(objectAt(parameters, 'BackupPlan'), 'Rules').entries()) {
    if (!isObject(rule)) continue
    const lifecycles = [rule, ...listAt(rule, 'CopyActions')].map((holder) =>
      isObject(holder) ? objectAt(holder, 'Lifecycle') : undefined,
    )
    const deletes = lifecycles.some((each) => memberIn(each, 'DeleteAfterDays') !== undefined)
    const at = `BackupPlan.Rules.${index}`
    if (!deletes) continue
    drafts.add({ sdk: 'backup', api: 'DeleteRecoveryPoint', parameters: {}, role: null, at })
  }
}

/** Scheduled sizes of Auto Scaling groups and of scalable targets: set as by hand, only later. */
export function readScheduledScaling(parameters: JsonObject, drafts: Drafts): void {
  const target = objectAt(parameters, 'ScalableTargetAction')
  if (memberIn(parameters, 'ServiceNamespace') !== undefined) {
    if (target === undefined) return
    const { ServiceNamespace = null, ResourceId = null, ScalableDimension = null } = parameters
    const sizes = { ...target, ServiceNamespace, ResourceId, ScalableDimension }
    add('applicationautoscaling', 'RegisterScalableTarget', sizes, 'ScalableTargetAction', drafts)
    return
  }
  const batch = listAt(parameters, 'ScheduledUpdateGroupActions')
  const AutoScalingGroupName = parameters['AutoScalingGroupName'] ?? null
  for (const [index, each] of (batch.length > 0 ? batch : [parameters]).entries()) {
    const { MinSize = null, MaxSize = null, DesiredCapacity = null } = isObject(each) ? each : {}
    const sizes = { AutoScalingGroupName, MinSize, MaxSize, DesiredCapacity }
    add('autoscaling', 'UpdateAutoScalingGroup', sizes, `${index}`, drafts)
  }
}

function add(sdk: string, api: string, parameters: JsonObject, at: string, drafts: Drafts): void {
  drafts.add({ sdk, api, parameters, role: null, at })
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobOperation.html */
const BATCH_OPERATIONS: Readonly<Record<string, readonly [sdk: string, api: string]>> = {
  S3DeleteObjectTagging: ['s3', 'DeleteObjectTagging'],
  S3InitiateRestoreObject: ['s3', 'RestoreObject'],
  S3PutObjectAcl: ['s3', 'PutObjectAcl'],
  S3PutObjectCopy: ['s3', 'CopyObject'],
  S3PutObjectLegalHold: ['s3', 'PutObjectLegalHold'],
  S3PutObjectRetention: ['s3', 'PutObjectRetention'],
  S3PutObjectTagging: ['s3', 'PutObjectTagging'],
}

/** CreateJob of S3 Control: one operation on every object of a manifest. */
export function readBatchOperation(parameters: JsonObject, drafts: Drafts): void {
  const role = textIn(parameters, 'RoleArn') ?? null
  const operation = objectAt(parameters, 'Operation') ?? {}
  const names = Object.keys(operation)
  if (names.length === 0) drafts.hide()
  for (const name of names) {
    const at = `Operation.${name}`
    const known = Object.hasOwn(BATCH_OPERATIONS, name) ? BATCH_OPERATIONS[name] : undefined
    if (name === 'LambdaInvoke') {
      const FunctionName = textIn(objectAt(operation, name), 'FunctionArn') ?? null
      drafts.add({ sdk: 'lambda', api: 'Invoke', parameters: { FunctionName }, role, at })
    } else if (known === undefined) drafts.hide()
    else drafts.add({ sdk: known[0], api: known[1], parameters: {}, role, at })
  }
}
