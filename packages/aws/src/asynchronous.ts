// Operations that answer before they have happened, and the read that tells how each ended: data, after
// the waiters of AWS's own SDKs where there is one. Nothing here sends.

import type { Ending } from './ending.ts'

const WAITERS = 'https://github.com/aws/aws-sdk-js/tree/v2.1693.0/apis'

const STACK = {
  read: 'cloudformation:DescribeStacks',
  input: { StackName: ['#stack.stackId', '!StackId', '$StackName'] },
  state: 'Stacks.member.StackStatus',
  gone: 'failed',
  absent: ['ValidationError'],
  source: `${WAITERS}/cloudformation-2010-05-15.waiters2.json`,
} as const
const STACK_FAILURES = [
  'CREATE_FAILED',
  'DELETE_FAILED',
  'ROLLBACK_COMPLETE',
  'ROLLBACK_FAILED',
  'UPDATE_FAILED',
  'UPDATE_ROLLBACK_COMPLETE',
  'UPDATE_ROLLBACK_FAILED',
  'IMPORT_ROLLBACK_COMPLETE',
  'IMPORT_ROLLBACK_FAILED',
]

const TABLE = {
  read: 'dynamodb:DescribeTable',
  input: { TableName: ['$TableName', '$TargetTableName'] },
  state: 'Table.TableStatus',
  done: ['ACTIVE'],
  failed: [],
  gone: 'failed',
  absent: ['ResourceNotFoundException'],
  source: `${WAITERS}/dynamodb-2012-08-10.waiters2.json`,
} as const

const DATABASE = {
  read: 'rds:DescribeDBInstances',
  input: { DBInstanceIdentifier: ['$DBInstanceIdentifier'] },
  state: 'DBInstances.DBInstance.DBInstanceStatus',
  done: ['available'],
  failed: ['failed', 'incompatible-restore', 'incompatible-parameters', 'incompatible-network'],
  gone: 'failed',
  absent: ['DBInstanceNotFound', 'DBInstanceNotFoundFault'],
  source: `${WAITERS}/rds-2014-10-31.waiters2.json`,
} as const

const DATABASE_CLUSTER = {
  read: 'rds:DescribeDBClusters',
  input: { DBClusterIdentifier: ['$DBClusterIdentifier'] },
  state: 'DBClusters.DBCluster.Status',
  done: ['available'],
  failed: ['failed', 'incompatible-restore', 'incompatible-parameters'],
  gone: 'failed',
  absent: ['DBClusterNotFoundFault'],
  source: `${WAITERS}/rds-2014-10-31.waiters2.json`,
} as const

const INSTANCES = {
  read: 'ec2:DescribeInstances',
  input: { InstanceIds: ['$InstanceIds'] },
  state: 'reservationSet.item.instancesSet.item.instanceState.name',
  failed: [],
  gone: 'failed',
  absent: ['InvalidInstanceID.NotFound'],
  source: `${WAITERS}/ec2-2016-11-15.waiters2.json`,
} as const

const CLUSTER = {
  read: 'eks:DescribeCluster',
  input: { name: ['$name'] },
  state: 'cluster.status',
  done: ['ACTIVE'],
  failed: ['FAILED'],
  gone: 'failed',
  absent: ['ResourceNotFoundException'],
  source: `${WAITERS}/eks-2017-11-01.waiters2.json`,
} as const

const NODE_GROUP = {
  read: 'eks:DescribeNodegroup',
  input: { clusterName: ['$clusterName'], nodegroupName: ['$nodegroupName'] },
  state: 'nodegroup.status',
  done: ['ACTIVE'],
  failed: ['CREATE_FAILED', 'DELETE_FAILED', 'DEGRADED'],
  gone: 'failed',
  absent: ['ResourceNotFoundException'],
  source: `${WAITERS}/eks-2017-11-01.waiters2.json`,
} as const

const CACHE_GROUP = {
  read: 'elasticache:DescribeReplicationGroups',
  input: { ReplicationGroupId: ['$ReplicationGroupId'] },
  state: 'ReplicationGroups.ReplicationGroup.Status',
  done: ['available'],
  failed: ['create-failed'],
  gone: 'failed',
  absent: ['ReplicationGroupNotFoundFault'],
  source: `${WAITERS}/elasticache-2015-02-02.waiters2.json`,
} as const

const WAREHOUSE = {
  read: 'redshift:DescribeClusters',
  input: { ClusterIdentifier: ['$ClusterIdentifier'] },
  state: 'Clusters.Cluster.ClusterStatus',
  done: ['available'],
  failed: ['hardware-failure', 'incompatible-network', 'incompatible-parameters'],
  gone: 'failed',
  absent: ['ClusterNotFound', 'ClusterNotFoundFault'],
  source: `${WAITERS}/redshift-2012-12-01.waiters2.json`,
} as const

const FUNCTION_UPDATED = {
  read: 'lambda:GetFunctionConfiguration',
  input: { FunctionName: ['$FunctionName'] },
  state: 'LastUpdateStatus',
  done: ['Successful'],
  failed: ['Failed'],
  gone: 'failed',
  absent: ['ResourceNotFoundException'],
  source: `${WAITERS}/lambda-2015-03-31.waiters2.json`,
} as const

const STREAM = {
  read: 'kinesis:DescribeStreamSummary',
  input: { StreamName: ['$StreamName'] },
  state: 'StreamDescriptionSummary.StreamStatus',
  done: ['ACTIVE'],
  failed: [],
  gone: 'failed',
  absent: ['ResourceNotFoundException'],
  source: 'https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DescribeStreamSummary.html',
} as const

/** By operation, `<iam prefix>:<operation>`. */
export const ASYNCHRONOUS: Readonly<Record<string, Ending>> = {
  'cloudformation:CreateStack': { ...STACK, done: ['CREATE_COMPLETE'], failed: STACK_FAILURES },
  'cloudformation:DeleteStack': {
    ...STACK,
    done: ['DELETE_COMPLETE'],
    failed: STACK_FAILURES.filter((state) => state.startsWith('DELETE')),
    gone: 'succeeded',
  },
  'cloudformation:UpdateStack': {
    ...STACK,
    done: ['UPDATE_COMPLETE'],
    failed: STACK_FAILURES,
    twice: true,
  },
  'cloudformation:ExecuteChangeSet': {
    ...STACK,
    done: ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'IMPORT_COMPLETE'],
    failed: STACK_FAILURES,
    twice: true,
  },
  'cloudformation:RollbackStack': {
    ...STACK,
    done: ['ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'],
    failed: ['ROLLBACK_FAILED', 'UPDATE_ROLLBACK_FAILED', 'DELETE_FAILED'],
    twice: true,
  },
  'cloudformation:ContinueUpdateRollback': {
    ...STACK,
    done: ['UPDATE_ROLLBACK_COMPLETE'],
    failed: ['DELETE_FAILED'],
  },
  'dynamodb:CreateTable': TABLE,
  'dynamodb:DeleteTable': { ...TABLE, done: [], gone: 'succeeded' },
  'dynamodb:RestoreTableFromBackup': TABLE,
  'dynamodb:RestoreTableToPointInTime': TABLE,
  'dynamodb:UpdateTable': { ...TABLE, twice: true },
  'rds:CreateDBInstance': DATABASE,
  'rds:DeleteDBInstance': { ...DATABASE, done: [], gone: 'succeeded' },
  'rds:ModifyDBInstance': {
    ...DATABASE,
    pending: 'DBInstances.DBInstance.PendingModifiedValues',
    twice: true,
  },
  'rds:RebootDBInstance': { ...DATABASE, twice: true },
  'rds:StartDBInstance': DATABASE,
  'rds:StopDBInstance': { ...DATABASE, done: ['stopped'] },
  'rds:CreateDBCluster': DATABASE_CLUSTER,
  'rds:DeleteDBCluster': { ...DATABASE_CLUSTER, done: [], gone: 'succeeded' },
  'rds:ModifyDBCluster': {
    ...DATABASE_CLUSTER,
    pending: 'DBClusters.DBCluster.PendingModifiedValues',
    twice: true,
  },
  'rds:StartDBCluster': DATABASE_CLUSTER,
  'rds:StopDBCluster': { ...DATABASE_CLUSTER, done: ['stopped'] },
  'ec2:StartInstances': { ...INSTANCES, done: ['running'], failed: ['terminated'] },
  'ec2:StopInstances': { ...INSTANCES, done: ['stopped'], failed: ['terminated'] },
  'ec2:TerminateInstances': { ...INSTANCES, done: ['terminated'], gone: 'succeeded' },
  'ec2:DeleteNatGateway': {
    read: 'ec2:DescribeNatGateways',
    input: { NatGatewayIds: { list: ['$NatGatewayId'] } },
    state: 'natGatewaySet.item.state',
    done: ['deleted'],
    failed: ['failed'],
    gone: 'succeeded',
    absent: ['NatGatewayNotFound'],
    source: `${WAITERS}/ec2-2016-11-15.waiters2.json`,
  },
  'ec2:CreateSnapshot': {
    read: 'ec2:DescribeSnapshots',
    input: { SnapshotIds: { list: ['!snapshotId'] } },
    state: 'snapshotSet.item.status',
    done: ['completed'],
    failed: ['error'],
    gone: 'failed',
    absent: ['InvalidSnapshot.NotFound'],
    source: `${WAITERS}/ec2-2016-11-15.waiters2.json`,
  },
  'ecs:DeleteService': {
    read: 'ecs:DescribeServices',
    input: { cluster: ['$cluster', '=default'], services: { list: ['$service'] } },
    state: 'services.status',
    done: ['INACTIVE'],
    failed: [],
    gone: 'succeeded',
    absent: ['ClusterNotFoundException'],
    source: `${WAITERS}/ecs-2014-11-13.waiters2.json`,
  },
  'ecs:UpdateService': {
    read: 'ecs:DescribeServices',
    input: { cluster: ['$cluster', '=default'], services: { list: ['$service'] } },
    state: 'services.deployments.rolloutState',
    done: ['COMPLETED'],
    failed: ['FAILED'],
    gone: 'failed',
    absent: ['ClusterNotFoundException'],
    twice: true,
    source: 'https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html',
  },
  'eks:CreateCluster': CLUSTER,
  'eks:DeleteCluster': { ...CLUSTER, done: [], gone: 'succeeded' },
  'eks:UpdateClusterConfig': { ...CLUSTER, twice: true },
  'eks:UpdateClusterVersion': { ...CLUSTER, twice: true },
  'eks:CreateNodegroup': NODE_GROUP,
  'eks:DeleteNodegroup': { ...NODE_GROUP, done: [], gone: 'succeeded' },
  'eks:UpdateNodegroupConfig': { ...NODE_GROUP, twice: true },
  'eks:UpdateNodegroupVersion': { ...NODE_GROUP, twice: true },
  'elasticache:CreateReplicationGroup': CACHE_GROUP,
  'elasticache:DeleteReplicationGroup': {
    ...CACHE_GROUP,
    done: ['deleted'],
    gone: 'succeeded',
  },
  'elasticache:ModifyReplicationGroup': { ...CACHE_GROUP, twice: true },
  'elasticache:DeleteCacheCluster': {
    read: 'elasticache:DescribeCacheClusters',
    input: { CacheClusterId: ['$CacheClusterId'] },
    state: 'CacheClusters.CacheCluster.CacheClusterStatus',
    done: ['deleted'],
    failed: [],
    gone: 'succeeded',
    absent: ['CacheClusterNotFound', 'CacheClusterNotFoundFault'],
    source: `${WAITERS}/elasticache-2015-02-02.waiters2.json`,
  },
  'redshift:CreateCluster': WAREHOUSE,
  'redshift:DeleteCluster': { ...WAREHOUSE, done: [], gone: 'succeeded' },
  'redshift:ModifyCluster': { ...WAREHOUSE, twice: true },
  'redshift:PauseCluster': { ...WAREHOUSE, done: ['paused'] },
  'redshift:ResumeCluster': WAREHOUSE,
  // The key is kept for 7 to 30 days; what is confirmed is that its end is scheduled.
  'kms:ScheduleKeyDeletion': {
    read: 'kms:DescribeKey',
    input: { KeyId: ['$KeyId'] },
    state: 'KeyMetadata.KeyState',
    done: ['PendingDeletion', 'PendingReplicaDeletion'],
    failed: [],
    gone: 'failed',
    absent: ['NotFoundException'],
    source: 'https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html',
  },
  'lambda:CreateFunction': { ...FUNCTION_UPDATED, state: 'State', done: ['Active'] },
  'lambda:UpdateFunctionCode': FUNCTION_UPDATED,
  'lambda:UpdateFunctionConfiguration': FUNCTION_UPDATED,
  'elasticloadbalancing:DeleteLoadBalancer': {
    read: 'elasticloadbalancing@2015-12-01:DescribeLoadBalancers',
    input: { LoadBalancerArns: { list: ['$LoadBalancerArn'] } },
    state: 'LoadBalancers.member.State.Code',
    done: [],
    failed: [],
    gone: 'succeeded',
    absent: ['LoadBalancerNotFound'],
    source: `${WAITERS}/elasticloadbalancingv2-2015-12-01.waiters2.json`,
  },
  'cloudfront:UpdateDistribution': {
    read: 'cloudfront:GetDistribution',
    input: { Id: ['$Id'] },
    state: 'Status',
    done: ['Deployed'],
    failed: [],
    gone: 'failed',
    absent: ['NoSuchDistribution'],
    twice: true,
    source: `${WAITERS}/cloudfront-2020-05-31.waiters2.json`,
  },
  'route53:ChangeResourceRecordSets': {
    read: 'route53:GetChange',
    input: { Id: ['!ChangeInfo.Id'] },
    state: 'ChangeInfo.Status',
    done: ['INSYNC'],
    failed: [],
    gone: 'failed',
    absent: ['NoSuchChange'],
    source: `${WAITERS}/route53-2013-04-01.waiters2.json`,
  },
  'kinesis:CreateStream': STREAM,
  'kinesis:DeleteStream': { ...STREAM, done: [], gone: 'succeeded' },
  'kinesis:UpdateShardCount': { ...STREAM, twice: true },
  'elasticfilesystem:DeleteFileSystem': {
    read: 'elasticfilesystem:DescribeFileSystems',
    input: { FileSystemId: ['$FileSystemId'] },
    state: 'FileSystems.LifeCycleState',
    done: ['deleted'],
    failed: ['error'],
    gone: 'succeeded',
    absent: ['FileSystemNotFound'],
    source: 'https://docs.aws.amazon.com/efs/latest/ug/API_DeleteFileSystem.html',
  },
  'autoscaling:DeleteAutoScalingGroup': {
    read: 'autoscaling:DescribeAutoScalingGroups',
    input: { AutoScalingGroupNames: { list: ['$AutoScalingGroupName'] } },
    state: 'AutoScalingGroups.member.Status',
    done: [],
    failed: [],
    gone: 'succeeded',
    absent: [],
    source:
      'https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html',
  },
  'backup:StartBackupJob': {
    read: 'backup:DescribeBackupJob',
    input: { BackupJobId: ['!BackupJobId'] },
    state: 'State',
    done: ['COMPLETED'],
    failed: ['ABORTED', 'FAILED', 'EXPIRED', 'PARTIAL'],
    gone: 'failed',
    absent: ['ResourceNotFoundException'],
    source: 'https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupJob.html',
  },
  'backup:StartRestoreJob': {
    read: 'backup:DescribeRestoreJob',
    input: { RestoreJobId: ['!RestoreJobId'] },
    state: 'Status',
    done: ['COMPLETED'],
    failed: ['ABORTED', 'FAILED'],
    gone: 'failed',
    absent: ['ResourceNotFoundException'],
    source: 'https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRestoreJob.html',
  },
  'ssm:SendCommand': {
    read: 'ssm:ListCommands',
    input: { CommandId: ['!Command.CommandId'] },
    state: 'Commands.Status',
    done: ['Success'],
    failed: ['Cancelled', 'Failed', 'TimedOut'],
    gone: 'failed',
    absent: ['InvalidCommandId'],
    source: 'https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html',
  },
  'states:StartExecution': {
    read: 'states:DescribeExecution',
    input: { executionArn: ['!executionArn'] },
    state: 'status',
    done: ['SUCCEEDED'],
    failed: ['ABORTED', 'FAILED', 'TIMED_OUT'],
    gone: 'failed',
    absent: ['ExecutionDoesNotExist'],
    source:
      'https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html',
  },
}

/** How an operation that answered before it has happened ends; undefined for what has happened then. */
export function endingOf(operation: string): Ending | undefined {
  return Object.hasOwn(ASYNCHRONOUS, operation) ? ASYNCHRONOUS[operation] : undefined
}
