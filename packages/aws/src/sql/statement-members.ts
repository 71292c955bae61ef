// The members of calls that hold statements of SQL or PartiQL, and the engines that may run them: one
// table, with its sources. A call without a row here holds no statement. Data.

import type { Dialect } from './closed-lists.ts'

export interface StatementRow {
  /** Path of the member: `*` stands for every element of a list. */
  readonly path: string
  readonly language: 'sql' | 'partiql'
  /** The engines that may run it; empty for PartiQL, which is one of its own. */
  readonly dialects: readonly Dialect[]
  /** What stands for a value in the text. */
  readonly values: 'named' | 'question' | 'none'
}

const DATA_API: readonly Dialect[] = ['postgres', 'mysql']

/**
 * The members that hold statements. Whether a cluster runs PostgreSQL or MySQL is not in the call.
 * Sources: https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html,
 * API_BatchExecuteStatement.html, API_ExecuteSql.html;
 * https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html,
 * API_BatchExecuteStatement.html;
 * https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html;
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteStatement.html,
 * API_BatchExecuteStatement.html, API_ExecuteTransaction.html
 */
const ROWS: Readonly<Record<string, StatementRow>> = {
  'rds-data:ExecuteStatement': sql('sql', DATA_API, 'named'),
  'rds-data:BatchExecuteStatement': sql('sql', DATA_API, 'named'),
  'rds-data:ExecuteSql': sql('sqlStatements', DATA_API, 'none'),
  'redshift-data:ExecuteStatement': sql('Sql', ['redshift'], 'named'),
  'redshift-data:BatchExecuteStatement': sql('Sqls.*', ['redshift'], 'named'),
  'athena:StartQueryExecution': sql('QueryString', ['trino'], 'question'),
  'dynamodb:ExecuteStatement': partiql('Statement'),
  'dynamodb:BatchExecuteStatement': partiql('Statements.*.Statement'),
  'dynamodb:ExecuteTransaction': partiql('TransactStatements.*.Statement'),
}

function sql(
  path: string,
  dialects: readonly Dialect[],
  values: StatementRow['values'],
): StatementRow {
  return { path, language: 'sql', dialects, values }
}

function partiql(path: string): StatementRow {
  return { path, language: 'partiql', dialects: [], values: 'question' }
}

/** The row of an operation that runs statements. */
export function statementsOf(operation: string): StatementRow | undefined {
  return Object.hasOwn(ROWS, operation) ? ROWS[operation] : undefined
}

/** Whether a member of that name holds statements of the operation. */
export function isStatementMember(operation: string, member: string): boolean {
  const steps = statementsOf(operation)?.path.split('.') ?? []
  return steps.findLast((step) => step !== '*') === member
}
