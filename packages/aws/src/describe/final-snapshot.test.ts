// The snapshot that the deletion of a database cluster leaves behind is a resource of the call where one is
// made, and none where it is skipped.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBCluster.html

import { expect, test } from 'vitest'
import type { CallResource, JsonObject } from '../call.ts'
import { meaningOf } from '../describe-call.ts'
import { operationOf, serviceOf } from '../index/service-index.ts'

const PREFIX = 'arn:aws:rds:eu-west-1:111122223333'
const CLUSTER = { arn: `${PREFIX}:cluster:orders`, type: 'cluster', resolved: true }
const UNKNOWN = { arn: '*', type: 'cluster-snapshot', resolved: false }

/** The resources as each of the three models that share the API names them. */
function resources(name: string, parameters: JsonObject): CallResource[][] {
  const service = serviceOf('rds')
  const here = { partition: 'aws', region: 'eu-west-1', account: '111122223333' }
  return service.models.flatMap((model) => {
    const operation = operationOf(model, name)
    return operation ? [[...meaningOf(service, operation, parameters, here).resources]] : []
  })
}

test('a cluster deleted without a final snapshot touches the cluster alone', () => {
  const asked = { DBClusterIdentifier: 'orders', SkipFinalSnapshot: true }
  for (const named of resources('DeleteDBCluster', asked)) expect(named).toEqual([CLUSTER])
})

test('a final snapshot is named as its member names it', () => {
  const asked = { DBClusterIdentifier: 'orders', FinalDBSnapshotIdentifier: 'Last' }
  const snapshot = {
    arn: `${PREFIX}:cluster-snapshot:last`,
    type: 'cluster-snapshot',
    resolved: true,
  }
  for (const extra of [{}, { SkipFinalSnapshot: false }, { SkipFinalSnapshot: true }]) {
    for (const named of resources('DeleteDBCluster', { ...asked, ...extra })) {
      expect(named).toEqual([CLUSTER, snapshot])
    }
  }
})

test.each([{}, { SkipFinalSnapshot: false }, { SkipFinalSnapshot: 'yes' }])(
  'with %o no snapshot is named and none is ruled out, so that it stays unknown',
  (extra) => {
    for (const named of resources('DeleteDBCluster', { DBClusterIdentifier: 'orders', ...extra })) {
      expect(named).toEqual([CLUSTER, UNKNOWN])
    }
  },
)

test('an instance deleted without a final snapshot touches the instance alone', () => {
  const asked = { DBInstanceIdentifier: 'orders', SkipFinalSnapshot: true }
  for (const named of resources('DeleteDBInstance', asked)) {
    expect(named).toEqual([{ arn: `${PREFIX}:db:orders`, type: 'db', resolved: true }])
  }
})
