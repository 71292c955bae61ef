// Roles that are lent to schedulers, builds, workflows and other services that act later: rows of our own
// beside those of pathfinding.cloud, because an agent that may not delete may still order the deletion
// (red team H7, H8). Each with the page of AWS that says so.

import type { ExistingRow, LendRow } from './escalation.ts'

const row = (
  id: string,
  service: string,
  actions: readonly string[],
  about: string,
  source: string,
): LendRow => ({
  id: `seconder-${id}`,
  kind: 'lend',
  about,
  services: [`${service}.amazonaws.com`],
  actions,
  source: `https://docs.aws.amazon.com/${source}`,
})

export const FURTHER_LENDING: readonly LendRow[] = [
  row(
    'scheduler',
    'scheduler',
    ['scheduler:CreateSchedule'],
    'a schedule makes any call of the API with the rights of the role',
    'scheduler/latest/UserGuide/managing-targets-universal.html',
  ),
  row(
    'scheduler-update',
    'scheduler',
    ['scheduler:UpdateSchedule'],
    'a schedule that is there is pointed at any call of the API, with the rights of the role',
    'scheduler/latest/UserGuide/managing-targets-universal.html',
  ),
  row(
    'states',
    'states',
    ['states:CreateStateMachine', 'states:StartExecution'],
    'a state machine makes any call of the API with the rights of the role',
    'step-functions/latest/dg/supported-services-awssdk.html',
  ),
  row(
    'events',
    'events',
    ['events:PutRule', 'events:PutTargets'],
    'a rule starts builds, tasks, documents or state machines with the rights of the role',
    'eventbridge/latest/userguide/eb-targets.html',
  ),
  row(
    'pipes',
    'pipes',
    ['pipes:CreatePipe'],
    'a pipe starts functions, tasks or state machines with the rights of the role',
    'eventbridge/latest/userguide/eb-pipes-event-target.html',
  ),
  row(
    'ssm-automation',
    'ssm',
    ['ssm:StartAutomationExecution'],
    'an automation makes any call of the API with the rights of the role',
    'systems-manager/latest/userguide/automation-action-executeawsapi.html',
  ),
  row(
    'codepipeline',
    'codepipeline',
    ['codepipeline:CreatePipeline'],
    'a pipeline deploys whatever its source says, with the rights of the role',
    'codepipeline/latest/userguide/how-to-custom-role.html',
  ),
  row(
    'codebuild-update',
    'codebuild',
    ['codebuild:UpdateProject', 'codebuild:StartBuild'],
    'a build project that is there gets commands of the caller and the role, and is built',
    'codebuild/latest/userguide/setting-up-service-role.html',
  ),
  row(
    'batch',
    'ecs-tasks',
    ['batch:RegisterJobDefinition', 'batch:SubmitJob'],
    'a batch job runs a container of the caller under the role',
    'batch/latest/userguide/security-iam-passrole.html',
  ),
  row(
    'emr-serverless',
    'emr-serverless',
    ['emr-serverless:CreateApplication', 'emr-serverless:StartJobRun'],
    'a job runs code of the caller under the role',
    'emr/latest/EMR-Serverless-UserGuide/security-iam-runtime-role.html',
  ),
  row(
    'eks-pod',
    'pods.eks',
    ['eks:CreatePodIdentityAssociation'],
    'a pod of a cluster gets the credentials of the role',
    'eks/latest/userguide/pod-id-association.html',
  ),
  row(
    'rds-proxy-export',
    'export.rds',
    ['rds:StartExportTask'],
    'a snapshot is written out with the rights of the role',
    'AmazonRDS/latest/UserGuide/USER_ExportSnapshot.html',
  ),
  row(
    'dlm',
    'dlm',
    ['dlm:CreateLifecyclePolicy'],
    'a lifecycle policy deletes snapshots and images with the rights of the role',
    'ebs/latest/userguide/service-role.html',
  ),
  row(
    's3-batch',
    'batchoperations.s3',
    ['s3:CreateJob'],
    'a batch job changes or deletes objects with the rights of the role',
    'AmazonS3/latest/userguide/batch-ops-iam-role-policies.html',
  ),
  row(
    'iot-rule',
    'iot',
    ['iot:CreateTopicRule'],
    'a rule acts on other services with the rights of the role',
    'iot/latest/developerguide/iot-create-role.html',
  ),
  row(
    'cloud-control',
    'resources.cloudformation',
    ['cloudformation:CreateResource'],
    'a handler makes the resource with the rights of the role',
    'cloudcontrolapi/latest/userguide/resource-operations.html',
  ),
]

const there = (
  id: string,
  service: string,
  actions: readonly string[],
  about: string,
  needs: string,
  source: string,
): ExistingRow => ({
  id: `seconder-${id}`,
  kind: 'existing',
  about,
  services: [`${service}.amazonaws.com`],
  actions,
  needs,
  source: `https://docs.aws.amazon.com/${source}`,
})

export const FURTHER_EXISTING: readonly ExistingRow[] = [
  there(
    'states-update',
    'states',
    ['states:UpdateStateMachine'],
    'the definition of a state machine is replaced; its next execution makes the calls of the caller',
    'a state machine under this role',
    'step-functions/latest/apireference/API_UpdateStateMachine.html',
  ),
  there(
    'lambda-configuration',
    'lambda',
    ['lambda:UpdateFunctionConfiguration'],
    'a layer or a variable of a function that is there puts code of the caller into it',
    'a function under this role that something invokes',
    'lambda/latest/api/API_UpdateFunctionConfiguration.html',
  ),
  there(
    'ecs-exec',
    'ecs-tasks',
    ['ecs:ExecuteCommand'],
    'a shell is opened in a running task',
    'a running task under this role that allows ECS Exec',
    'AmazonECS/latest/developerguide/ecs-exec.html',
  ),
  there(
    'ssm-association',
    'ec2',
    ['ssm:CreateAssociation'],
    'an association runs commands of the caller on an instance',
    'an instance under this role that Systems Manager manages',
    'systems-manager/latest/userguide/state-manager-associations.html',
  ),
  there(
    'codebuild-source',
    'codebuild',
    ['codecommit:GitPush'],
    'commands of the caller are pushed into the source that a pipeline builds',
    'a build project under this role that builds from a repository of CodeCommit',
    'codebuild/latest/userguide/build-spec-ref.html',
  ),
]
