// Turns one staged FOCUS file into facts, resources and terms, and replaces the billing periods it
// holds as one transaction. Runs inside the caller's transaction, on the one writing connection.
// It never upserts by line id: ids are not stable between deliveries, see
// https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html

import type { DuckDBConnection, Json } from '@duckdb/node-api'
import { readCsvHeader } from './csv-header.ts'
import { add, formatDecimal, parseDecimal } from './decimal.ts'
import { CostStoreError } from './errors.ts'
import { type FocusColumns, focusColumns } from './focus-columns.ts'
import {
  type IngestReport,
  NOTE_EXAMPLES_MAX,
  type PeriodReport,
  type RowNote,
} from './ingest-report.ts'
import type { StagedFile } from './staging.ts'
import {
  FACT_KINDS,
  kindNumber,
  RESOURCE_KIND_NAMES,
  RESOURCE_KINDS,
  type ResourceKind,
} from './terms.ts'

type Row = Record<string, Json>

const TEMPORARY_TABLES = ['parsed', 'coded', 'reject_error', 'reject_scan']

/** Replaces the billing periods of `file` under `name`. Errors: see CostStoreErrorCode. */
export async function ingest(
  connection: DuckDBConnection,
  name: string,
  file: StagedFile,
): Promise<IngestReport> {
  const columns = focusColumns(readCsvHeader(file.start))
  const known = await knownReport(connection, name, file.sha256)
  if (known !== undefined) return { ...known, unchanged: true }
  await parseLines(connection, file.path, columns)
  const counts = await countLines(connection)
  if (counts.taken === 0) throw new CostStoreError('no_rows', refusalText(counts.refusals))
  await insertTerms(connection)
  await insertResources(connection)
  await replaceDeliveries(connection, name, file.sha256)
  const stored = await storedPeriods(connection, name, file.sha256)
  const report = makeReport(name, file, columns, counts, stored)
  checkReconciled(report)
  await rememberFile(connection, report)
  // After an error there is nothing to drop: the caller's rollback takes temporary tables too.
  await connection.run('DROP VIEW temp.accepted')
  for (const table of TEMPORARY_TABLES) await connection.run(`DROP TABLE temp.${table}`)
  return report
}

async function rows(connection: DuckDBConnection, sql: string, values: string[] = []) {
  const reader = await connection.runAndReadAll(sql, values)
  return reader.getRowObjectsJson() as Row[]
}

/** SQL that reads the file at $1 as text, one row a line, in the order of the file. */
function linesSql(columns: FocusColumns): string {
  const shape = Array.from({ length: columns.count }, (_, n) => `'c${n}': 'VARCHAR'`).join(', ')
  const field = columns.sql
  return `SELECT row_number() OVER () AS number,
       ${field('billed')} AS billed_text, ${field('effective')} AS effective_text,
       ${field('list')} AS list_text,
       coalesce(${field('consumedQuantity')}, ${field('pricingQuantity')}) AS quantity_text,
       CASE WHEN ${field('consumedQuantity')} IS NULL THEN ${field('pricingUnit')}
         ELSE ${field('consumedUnit')} END AS unit_text,
       ${field('chargeStart')} AS charge_text,
       ${columns.has('billingStart') ? field('billingStart') : field('chargeStart')} AS period_text,
       coalesce(${field('category')}, 'NoChargeCategory') AS category,
       coalesce(${field('currency')}, 'XXX') AS currency,
       coalesce(${field('subAccount')}, ${field('billingAccount')}, '') AS account,
       coalesce(${field('billingAccount')}, '') AS payer,
       coalesce(${field('service')}, '') AS service,
       coalesce(${field('region')}, 'NoRegion') AS region, coalesce(${field('zone')}, '') AS zone,
       coalesce(${field('usageType')}, '') AS usage_type,
       coalesce(${field('operation')}, '') AS operation,
       coalesce(${field('purchase')}, '') AS purchase,
       coalesce(${field('provider')}, '') AS provider,
       coalesce(${field('issuer')}, '') AS issuer,
       coalesce(${field('resource')}, '') AS resource_id,
       coalesce(${field('tags')}, '') AS tag_text,
       ${columns.has('invoice') ? `${field('invoice')} IS NOT NULL` : 'NULL::BOOLEAN'} AS invoiced
     FROM read_csv($1, columns = {${shape}}, auto_detect = false, header = true, delim = ',',
       quote = '"', escape = '"', nullstr = ['NULL', ''], strict_mode = true,
       store_rejects = true, rejects_table = 'reject_error', rejects_scan = 'reject_scan')`
}

async function parseLines(
  connection: DuckDBConnection,
  path: string,
  columns: FocusColumns,
): Promise<void> {
  await connection.run(
    `CREATE TEMP TABLE parsed AS SELECT exact_decimal(billed_text) AS billed,
       exact_decimal(effective_text) AS effective, exact_decimal(list_text) AS list,
       exact_decimal(quantity_text) AS quantity, utc_day(charge_text) AS day,
       date_trunc('month', utc_day(period_text))::DATE AS period,
       CASE WHEN quantity_text IS NULL THEN '' ELSE coalesce(unit_text, '') END AS unit, *
     FROM (${linesSql(columns)})`,
    [path],
  )
  await connection.run(
    `CREATE TEMP VIEW accepted AS SELECT * FROM temp.parsed WHERE (${REFUSAL}) IS NULL`,
  )
}

/** SQL over `parsed`: why the row is refused, or NULL. */
const REFUSAL = `CASE WHEN billed_text IS NULL THEN 'BilledCost is empty'
  WHEN billed IS NULL THEN 'BilledCost is not a number of at most 15 digits and 18 decimals'
  WHEN day IS NULL THEN 'ChargePeriodStart is not a time in UTC'
  WHEN period IS NULL THEN 'BillingPeriodStart is not a time in UTC' END`

interface LineCounts {
  readonly taken: number
  readonly refused: number
  readonly unreadableLines: number
  readonly refusals: readonly RowNote[]
  readonly warnings: readonly RowNote[]
  readonly currencies: readonly string[]
  readonly fileBilled: string
  readonly refusedBilled: string
}

async function countLines(connection: DuckDBConnection): Promise<LineCounts> {
  const [total] = await rows(
    connection,
    `SELECT count(*) FILTER (refusal IS NULL) AS taken, count(refusal) AS refused,
       coalesce(sum(billed), 0)::VARCHAR AS file_billed,
       coalesce(sum(billed) FILTER (refusal IS NOT NULL), 0)::VARCHAR AS refused_billed,
       (SELECT count(DISTINCT line) FROM temp.reject_error) AS unreadable
     FROM (SELECT billed, ${REFUSAL} AS refusal FROM temp.parsed)`,
  )
  const warnings = (
    [
      ['effective IS NULL AND effective_text IS NOT NULL', 'EffectiveCost is not a number'],
      ['list IS NULL AND list_text IS NOT NULL', 'ListCost is not a number'],
      ['quantity IS NULL AND quantity_text IS NOT NULL', 'the quantity is not a number'],
      [`cardinality(tag_map(tag_text)) = 0 AND tag_text NOT IN ('', '{}')`, 'Tags is not JSON'],
    ] as const
  ).map(
    ([condition, reason]) => `SELECT number, '${reason}' AS reason FROM temp.accepted
       WHERE ${condition}`,
  )
  const currencies = await rows(
    connection,
    `SELECT DISTINCT currency FROM temp.accepted ORDER BY currency`,
  )
  return {
    taken: Number(total?.['taken']),
    refused: Number(total?.['refused']),
    unreadableLines: Number(total?.['unreadable']),
    refusals: await notes(
      connection,
      `SELECT number, ${REFUSAL} AS reason FROM temp.parsed WHERE (${REFUSAL}) IS NOT NULL`,
    ),
    warnings: await notes(connection, warnings.join(' UNION ALL ')),
    currencies: currencies.map((row) => String(row['currency'])),
    fileBilled: plain(total?.['file_billed']),
    refusedBilled: plain(total?.['refused_billed']),
  }
}

async function notes(connection: DuckDBConnection, sql: string): Promise<readonly RowNote[]> {
  const found = await rows(
    connection,
    `SELECT reason, count(*) AS rows, min(number, ${NOTE_EXAMPLES_MAX})::VARCHAR[] AS examples
     FROM (${sql}) GROUP BY reason ORDER BY reason`,
  )
  return found.map((row) => ({
    reason: String(row['reason']),
    rows: Number(row['rows']),
    examples: Array.isArray(row['examples']) ? row['examples'].map(Number) : [],
  }))
}

function refusalText(refusals: readonly RowNote[]): string {
  const reasons = refusals.map((note) => `${note.reason} (${note.rows})`)
  return reasons.length === 0 ? 'the file has no rows' : `no row was taken: ${reasons.join('; ')}`
}

async function insertTerms(connection: DuckDBConnection): Promise<void> {
  for (const [column, kind] of Object.entries({ ...RESOURCE_KINDS, ...FACT_KINDS })) {
    await connection.run(
      `INSERT INTO term SELECT ${kind},
         (SELECT coalesce(max(code), 0) FROM term WHERE kind = ${kind})
           + row_number() OVER (ORDER BY value), value
       FROM (SELECT DISTINCT ${column} AS value FROM temp.accepted) AS seen
       ANTI JOIN (SELECT value FROM term WHERE kind = ${kind}) AS kept USING (value)`,
    )
  }
}

async function insertResources(connection: DuckDBConnection): Promise<void> {
  const names = RESOURCE_KIND_NAMES
  const codes = names.map((name) => `t_${name}.code AS ${name}_code`).join(', ')
  const joins = names
    .map(
      (name) => `JOIN term AS t_${name} ON t_${name}.kind = ${kindNumber(name)}
        AND t_${name}.value = combination.${name}`,
    )
    .join('\n')
  await connection.run(
    `CREATE TEMP TABLE coded AS SELECT combination.*, ${codes}
     FROM (SELECT DISTINCT ${names.join(', ')} FROM temp.accepted) AS combination ${joins}`,
  )
  await connection.run(
    `INSERT INTO resource SELECT
       (SELECT coalesce(max(rid), 0) FROM resource) + row_number() OVER (),
       ${names.map((name) => `coded.${name}_code`).join(', ')}, tag_map(coded.tag_text)
     FROM temp.coded ANTI JOIN resource ON ${sameResource(names)}`,
  )
}

function sameResource(names: readonly ResourceKind[]): string {
  return names.map((name) => `coded.${name}_code = resource.${name}`).join(' AND ')
}

async function replaceDeliveries(
  connection: DuckDBConnection,
  name: string,
  sha256: string,
): Promise<void> {
  const replaced = `SELECT delivery FROM delivery WHERE export = $1
    AND period IN (SELECT DISTINCT period FROM temp.accepted)`
  await connection.run(`DELETE FROM fact WHERE delivery IN (${replaced})`, [name])
  await connection.run(`DELETE FROM delivery WHERE delivery IN (${replaced})`, [name])
  await connection.run(
    `INSERT INTO delivery SELECT
       (SELECT coalesce(max(delivery), 0) FROM delivery) + row_number() OVER (ORDER BY period),
       $1, period, $2, count(*), sum(billed), bool_and(invoiced)
     FROM temp.accepted GROUP BY period`,
    [name, sha256],
  )
  const names = RESOURCE_KIND_NAMES
  const same = names.map((kind) => `accepted.${kind} = coded.${kind}`).join(' AND ')
  // A sum that skips rows without the cost would pass for the cost of them all.
  const whole = (column: string) =>
    `CASE WHEN count(${column}) = count(*) THEN sum(${column}) END::DECIMAL(38,18)`
  await connection.run(
    `INSERT INTO fact SELECT delivery.delivery, accepted.day, resource.rid, t_category.code,
       t_currency.code, sum(accepted.billed)::DECIMAL(38,18), ${whole('accepted.effective')},
       ${whole('accepted.list')}, sum(accepted.quantity)::DECIMAL(38,18)
     FROM temp.accepted
     JOIN temp.coded ON ${same}
     JOIN resource ON ${sameResource(names)}
     JOIN delivery ON delivery.export = $1 AND delivery.period = accepted.period
     JOIN term AS t_category ON t_category.kind = ${kindNumber('category')}
       AND t_category.value = accepted.category
     JOIN term AS t_currency ON t_currency.kind = ${kindNumber('currency')}
       AND t_currency.value = accepted.currency
     GROUP BY ALL ORDER BY accepted.day`,
    [name],
  )
}

async function storedPeriods(
  connection: DuckDBConnection,
  name: string,
  sha256: string,
): Promise<readonly PeriodReport[]> {
  const found = await rows(
    connection,
    `SELECT strftime(period, '%Y-%m') AS period, any_value(lines) AS lines,
       sum(fact.billed)::VARCHAR AS billed
     FROM fact JOIN delivery USING (delivery) WHERE export = $1 AND sha256 = $2
     GROUP BY period ORDER BY period`,
    [name, sha256],
  )
  return found.map((row) => ({
    period: String(row['period']),
    rows: Number(row['lines']),
    billed: plain(row['billed']),
  }))
}

function makeReport(
  name: string,
  file: StagedFile,
  columns: FocusColumns,
  counts: LineCounts,
  periods: readonly PeriodReport[],
): IngestReport {
  const zero = { units: 0n, scale: 0 }
  const stored = periods.map((period) => parseDecimal(period.billed)).reduce(add, zero)
  return {
    export: name,
    sha256: file.sha256,
    bytes: file.bytes,
    unchanged: false,
    rows: counts.taken + counts.refused,
    ...counts,
    absentColumns: columns.absent,
    periods,
    storedBilled: formatDecimal(stored),
  }
}

// INVARIANT: no row is lost or doubled on its way into the star.
function checkReconciled(report: IngestReport): void {
  const kept = add(parseDecimal(report.storedBilled), parseDecimal(report.refusedBilled))
  const lines = report.periods.reduce((sum, period) => sum + period.rows, 0)
  if (formatDecimal(kept) === report.fileBilled && lines === report.taken) return
  throw new CostStoreError(
    'not_reconciled',
    `the file sums to ${report.fileBilled} and ${formatDecimal(kept)} would be kept`,
  )
}

async function knownReport(
  connection: DuckDBConnection,
  name: string,
  sha256: string,
): Promise<IngestReport | undefined> {
  const [found] = await rows(
    connection,
    `SELECT report FROM file WHERE export = $1 AND sha256 = $2 AND periods =
       (SELECT count(*) FROM delivery WHERE export = $1 AND sha256 = $2)`,
    [name, sha256],
  )
  return found === undefined ? undefined : (JSON.parse(String(found['report'])) as IngestReport)
}

async function rememberFile(connection: DuckDBConnection, report: IngestReport): Promise<void> {
  await connection.run(
    `DELETE FROM file WHERE export = $1 AND sha256 NOT IN
       (SELECT sha256 FROM delivery WHERE export = $1) OR export = $1 AND sha256 = $2`,
    [report.export, report.sha256],
  )
  await connection.run(
    `INSERT INTO file SELECT $1, $2, count(*), $3 FROM delivery WHERE export = $1 AND sha256 = $2`,
    [report.export, report.sha256, JSON.stringify(report)],
  )
}

function plain(value: Json | undefined): string {
  return formatDecimal(parseDecimal(String(value)))
}
