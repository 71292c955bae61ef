// The 47 operations of Cost Explorer and which of them this server answers. The rest are refused by
// name: a client that gets an empty list would take it for the truth.
// Source: botocore `botocore/data/ce/2017-10-25/service-2.json`, operations.

/** Where an operation is named: `X-Amz-Target: AWSInsightsIndexService.<operation>`. */
export const TARGET_PREFIX = 'AWSInsightsIndexService'

const ANSWERED: ReadonlySet<string> = new Set(['GetCostAndUsage'])

export const OPERATIONS: readonly string[] = [
  'CreateAnomalyMonitor',
  'CreateAnomalySubscription',
  'CreateCostCategoryDefinition',
  'DeleteAnomalyMonitor',
  'DeleteAnomalySubscription',
  'DeleteCostCategoryDefinition',
  'DescribeCostCategoryDefinition',
  'GetAnomalies',
  'GetAnomalyMonitors',
  'GetAnomalySubscriptions',
  'GetApproximateUsageRecords',
  'GetCommitmentPurchaseAnalysis',
  'GetCostAndUsage',
  'GetCostAndUsageComparisons',
  'GetCostAndUsageWithResources',
  'GetCostCategories',
  'GetCostComparisonDrivers',
  'GetCostForecast',
  'GetDimensionValues',
  'GetReservationCoverage',
  'GetReservationPurchaseRecommendation',
  'GetReservationUtilization',
  'GetRightsizingRecommendation',
  'GetSavingsPlanPurchaseRecommendationDetails',
  'GetSavingsPlansCoverage',
  'GetSavingsPlansPurchaseRecommendation',
  'GetSavingsPlansUtilization',
  'GetSavingsPlansUtilizationDetails',
  'GetTags',
  'GetUsageForecast',
  'ListCommitmentPurchaseAnalyses',
  'ListCostAllocationTagBackfillHistory',
  'ListCostAllocationTags',
  'ListCostCategoryDefinitions',
  'ListCostCategoryResourceAssociations',
  'ListSavingsPlansPurchaseRecommendationGeneration',
  'ListTagsForResource',
  'ProvideAnomalyFeedback',
  'StartCommitmentPurchaseAnalysis',
  'StartCostAllocationTagBackfill',
  'StartSavingsPlansPurchaseRecommendationGeneration',
  'TagResource',
  'UntagResource',
  'UpdateAnomalyMonitor',
  'UpdateAnomalySubscription',
  'UpdateCostAllocationTagsStatus',
  'UpdateCostCategoryDefinition',
]

/** Whether the operation is answered, known to AWS but not answered, or neither. */
export function operationState(name: string): 'answered' | 'not-answered' | 'unknown' {
  if (ANSWERED.has(name)) return 'answered'
  return OPERATIONS.includes(name) ? 'not-answered' : 'unknown'
}
