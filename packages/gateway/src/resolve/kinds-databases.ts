// Look-ups of databases and caches: RDS, Aurora, Redshift, ElastiCache, DynamoDB backups.
// OpenSearch is not here: its signing name reaches hosts of customers, so nothing is sent under it.
// Rows of data; each was read from the API reference of its `source`.
import type { Kind, Note, Rule } from './kind.ts'

const RDS = 'https://docs.aws.amazon.com/AmazonRDS/latest/APIReference'

const KEEPS_LESS: Rule = {
  wants: 'BackupRetentionPeriod',
  now: 'BackupRetentionPeriod',
  when: 'lower',
  effect: 'destroy',
  says: 'days of backups kept',
}
const UNGUARDED: Rule = {
  wants: 'DeletionProtection',
  now: 'DeletionProtection',
  when: 'off',
  effect: 'write',
  says: 'deletion protection',
}

/** Source: API_DeleteDBInstance and API_DeleteDBCluster, SkipFinalSnapshot, FinalDBSnapshotIdentifier. */
const FINAL_SNAPSHOT: readonly Note[] = [
  {
    says: 'no final snapshot is made: SkipFinalSnapshot is true',
    when: { path: 'SkipFinalSnapshot', is: 'true' },
  },
  {
    says: 'a final snapshot is made first',
    when: { path: 'FinalDBSnapshotIdentifier', is: 'present' },
    undo: 'from-backup',
  },
]

export const DATABASE_KINDS: readonly Kind[] = [
  {
    noun: 'database',
    read: 'rds:DescribeDBInstances',
    input: { DBInstanceIdentifier: '$' },
    at: 'DBInstances.DBInstance',
    absent: ['DBInstanceNotFound', 'DBInstanceNotFoundFault'],
    id: ['DbiResourceId', 'DBInstanceArn'],
    bound: ['DBClusterIdentifier'],
    holds: [
      ['Engine', 'text'],
      ['EngineVersion', 'text'],
      ['AllocatedStorage', 'GiB'],
    ],
    data: 'always',
    guard: { path: 'DeletionProtection', in: ['true'] },
    uses: [
      ['cluster', 'DBClusterIdentifier'],
      ['replica', 'ReadReplicaDBInstanceIdentifiers.ReadReplicaDBInstanceIdentifier'],
      ['replica cluster', 'ReadReplicaDBClusterIdentifiers.ReadReplicaDBClusterIdentifier'],
    ],
    continuous: 'LatestRestorableTime',
    backups: [
      {
        read: 'rds:DescribeDBSnapshots',
        input: { DBInstanceIdentifier: '$', SnapshotType: 'manual' },
        at: 'DBSnapshots.DBSnapshot',
        time: 'SnapshotCreateTime',
        where: { path: 'Status', in: ['available'] },
      },
    ],
    arn: '@DBInstanceArn',
    backedUp: true,
    tags: 'TagList.Tag',
    types: ['AWS::RDS::DBInstance'],
    touches: {
      'rds:DeleteDBInstance': {
        name: ['DBInstanceIdentifier'],
        fate: 'deleted',
        notes: FINAL_SNAPSHOT,
        losesContinuous: { path: 'DeleteAutomatedBackups', unless: 'false' },
      },
      'rds:ModifyDBInstance': {
        name: ['DBInstanceIdentifier'],
        fate: 'changed',
        rules: [KEEPS_LESS, UNGUARDED],
      },
      'rds:StopDBInstance': {
        name: ['DBInstanceIdentifier'],
        fate: 'changed',
        effect: 'stop',
        undo: 'yes',
      },
      'rds:RebootDBInstance': {
        name: ['DBInstanceIdentifier'],
        fate: 'changed',
        effect: 'stop',
        undo: 'yes',
      },
    },
    source: `${RDS}/API_DescribeDBInstances.html`,
  },
  {
    noun: 'database cluster',
    read: 'rds:DescribeDBClusters',
    input: { DBClusterIdentifier: '$' },
    at: 'DBClusters.DBCluster',
    absent: ['DBClusterNotFoundFault'],
    id: ['DbClusterResourceId', 'DBClusterArn'],
    bound: ['DBClusterMembers.DBClusterMember.DBInstanceIdentifier'],
    holds: [
      ['Engine', 'text'],
      ['EngineVersion', 'text'],
      ['AllocatedStorage', 'GiB'],
      ['DBClusterMembers.DBClusterMember', 'instances'],
    ],
    data: 'always',
    guard: { path: 'DeletionProtection', in: ['true'] },
    uses: [
      ['instance', 'DBClusterMembers.DBClusterMember.DBInstanceIdentifier'],
      ['replica', 'ReadReplicaIdentifiers.ReadReplicaIdentifier'],
    ],
    continuous: 'LatestRestorableTime',
    backups: [
      {
        read: 'rds:DescribeDBClusterSnapshots',
        input: { DBClusterIdentifier: '$', SnapshotType: 'manual' },
        at: 'DBClusterSnapshots.DBClusterSnapshot',
        time: 'SnapshotCreateTime',
        where: { path: 'Status', in: ['available'] },
      },
    ],
    arn: '@DBClusterArn',
    backedUp: true,
    tags: 'TagList.Tag',
    types: ['AWS::RDS::DBCluster', 'AWS::DocDB::DBCluster', 'AWS::Neptune::DBCluster'],
    touches: {
      'rds:DeleteDBCluster': {
        name: ['DBClusterIdentifier'],
        fate: 'deleted',
        notes: FINAL_SNAPSHOT,
        losesContinuous: { path: 'DeleteAutomatedBackups', unless: 'false' },
      },
      'rds:ModifyDBCluster': {
        name: ['DBClusterIdentifier'],
        fate: 'changed',
        rules: [KEEPS_LESS, UNGUARDED],
      },
      'rds:StopDBCluster': {
        name: ['DBClusterIdentifier'],
        fate: 'changed',
        effect: 'stop',
        undo: 'yes',
      },
    },
    source: `${RDS}/API_DescribeDBClusters.html`,
  },
  {
    noun: 'database snapshot',
    read: 'rds:DescribeDBSnapshots',
    input: { DBSnapshotIdentifier: '$' },
    at: 'DBSnapshots.DBSnapshot',
    absent: ['DBSnapshotNotFound', 'DBSnapshotNotFoundFault'],
    id: ['DBSnapshotArn', 'SnapshotCreateTime'],
    holds: [
      ['Engine', 'text'],
      ['AllocatedStorage', 'GiB'],
      ['SnapshotCreateTime', 'time', 'made'],
    ],
    data: 'always',
    uses: [['database', 'DBInstanceIdentifier']],
    tags: 'TagList.Tag',
    touches: { 'rds:DeleteDBSnapshot': { name: ['DBSnapshotIdentifier'], fate: 'deleted' } },
    source: `${RDS}/API_DescribeDBSnapshots.html`,
  },
  {
    noun: 'cluster snapshot',
    read: 'rds:DescribeDBClusterSnapshots',
    input: { DBClusterSnapshotIdentifier: '$' },
    at: 'DBClusterSnapshots.DBClusterSnapshot',
    absent: ['DBClusterSnapshotNotFoundFault'],
    id: ['DBClusterSnapshotArn', 'SnapshotCreateTime'],
    holds: [
      ['Engine', 'text'],
      ['AllocatedStorage', 'GiB'],
      ['SnapshotCreateTime', 'time', 'made'],
    ],
    data: 'always',
    uses: [['cluster', 'DBClusterIdentifier']],
    tags: 'TagList.Tag',
    touches: {
      'rds:DeleteDBClusterSnapshot': { name: ['DBClusterSnapshotIdentifier'], fate: 'deleted' },
    },
    source: `${RDS}/API_DescribeDBClusterSnapshots.html`,
  },
  {
    noun: 'warehouse',
    read: 'redshift:DescribeClusters',
    input: { ClusterIdentifier: '$' },
    at: 'Clusters.Cluster',
    absent: ['ClusterNotFound', 'ClusterNotFoundFault'],
    id: ['ClusterNamespaceArn', 'ClusterCreateTime'],
    holds: [
      ['NodeType', 'text'],
      ['NumberOfNodes', 'nodes'],
      ['TotalStorageCapacityInMegaBytes', 'MiB'],
    ],
    data: 'always',
    backups: [
      {
        read: 'redshift:DescribeClusterSnapshots',
        input: { ClusterIdentifier: '$', SnapshotType: 'manual' },
        at: 'Snapshots.Snapshot',
        time: 'SnapshotCreateTime',
        where: { path: 'Status', in: ['available'] },
      },
    ],
    tags: 'Tags.Tag',
    types: ['AWS::Redshift::Cluster'],
    touches: {
      'redshift:DeleteCluster': {
        name: ['ClusterIdentifier'],
        fate: 'deleted',
        notes: [
          {
            says: 'no final snapshot is made: SkipFinalClusterSnapshot is true',
            when: { path: 'SkipFinalClusterSnapshot', is: 'true' },
          },
          {
            says: 'a final snapshot is made first',
            when: { path: 'FinalClusterSnapshotIdentifier', is: 'present' },
            undo: 'from-backup',
          },
        ],
      },
      'redshift:ModifyCluster': {
        name: ['ClusterIdentifier'],
        fate: 'changed',
        rules: [
          {
            wants: 'AutomatedSnapshotRetentionPeriod',
            now: 'AutomatedSnapshotRetentionPeriod',
            when: 'lower',
            effect: 'destroy',
            says: 'days of snapshots kept',
          },
        ],
      },
      'redshift:PauseCluster': {
        name: ['ClusterIdentifier'],
        fate: 'changed',
        effect: 'stop',
        undo: 'yes',
      },
    },
    source: 'https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeClusters.html',
  },
  {
    noun: 'cache group',
    read: 'elasticache:DescribeReplicationGroups',
    input: { ReplicationGroupId: '$' },
    at: 'ReplicationGroups.ReplicationGroup',
    absent: ['ReplicationGroupNotFoundFault'],
    id: ['ARN', 'ReplicationGroupCreateTime'],
    holds: [
      ['CacheNodeType', 'text'],
      ['MemberClusters.ClusterId', 'nodes'],
    ],
    data: 'always',
    backups: [
      {
        read: 'elasticache:DescribeSnapshots',
        input: { ReplicationGroupId: '$', SnapshotSource: 'user' },
        at: 'Snapshots.Snapshot',
        time: 'NodeSnapshots.NodeSnapshot.SnapshotCreateTime',
        where: { path: 'SnapshotStatus', in: ['available'] },
      },
    ],
    arn: '@ARN',
    types: ['AWS::ElastiCache::ReplicationGroup'],
    touches: {
      'elasticache:DeleteReplicationGroup': {
        name: ['ReplicationGroupId'],
        fate: 'deleted',
        notes: [
          {
            says: 'a final snapshot is made first',
            when: { path: 'FinalSnapshotIdentifier', is: 'present' },
            undo: 'from-backup',
          },
        ],
      },
      'elasticache:ModifyReplicationGroup': {
        name: ['ReplicationGroupId'],
        fate: 'changed',
        rules: [
          {
            wants: 'SnapshotRetentionLimit',
            now: 'SnapshotRetentionLimit',
            when: 'lower',
            effect: 'destroy',
            says: 'days of snapshots kept',
          },
        ],
      },
    },
    source:
      'https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeReplicationGroups.html',
  },
  {
    noun: 'cache',
    read: 'elasticache:DescribeCacheClusters',
    input: { CacheClusterId: '$' },
    at: 'CacheClusters.CacheCluster',
    absent: ['CacheClusterNotFound', 'CacheClusterNotFoundFault'],
    id: ['ARN', 'CacheClusterCreateTime'],
    holds: [
      ['Engine', 'text'],
      ['CacheNodeType', 'text'],
      ['NumCacheNodes', 'nodes'],
    ],
    data: 'always',
    uses: [['cache group', 'ReplicationGroupId']],
    backups: [
      {
        read: 'elasticache:DescribeSnapshots',
        input: { CacheClusterId: '$', SnapshotSource: 'user' },
        at: 'Snapshots.Snapshot',
        time: 'NodeSnapshots.NodeSnapshot.SnapshotCreateTime',
        where: { path: 'SnapshotStatus', in: ['available'] },
      },
    ],
    arn: '@ARN',
    types: ['AWS::ElastiCache::CacheCluster'],
    touches: {
      'elasticache:DeleteCacheCluster': { name: ['CacheClusterId'], fate: 'deleted' },
    },
    source:
      'https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheClusters.html',
  },
  {
    noun: 'table backup',
    read: 'dynamodb:DescribeBackup',
    input: { BackupArn: '$' },
    at: 'BackupDescription',
    absent: ['BackupNotFoundException'],
    gone: { path: 'BackupDetails.BackupStatus', in: ['DELETED'] },
    id: ['BackupDetails.BackupArn', 'BackupDetails.BackupCreationDateTime'],
    holds: [
      ['BackupDetails.BackupName', 'text'],
      ['BackupDetails.BackupSizeBytes', 'bytes'],
    ],
    data: 'always',
    uses: [['table', 'SourceTableDetails.TableName']],
    touches: { 'dynamodb:DeleteBackup': { name: ['BackupArn'], fate: 'deleted' } },
    source:
      'https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeBackup.html',
  },
]
