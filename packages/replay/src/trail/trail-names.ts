// Which files belong to a trail, by their names alone.

/**
 * CloudTrail's own files that hold no events of calls: digests list hashes, insights unusual rates.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
 */
const NO_EVENTS = /(^|[/\\])CloudTrail-(Digest|Insight)[/\\]|_CloudTrail-(Digest|Insight)_/

const EVENTS = /\.(json|ndjson|jsonl|log)(\.gz)?$|\.gz$/i

/** Whether a file holds no events of calls, by its name. */
export function isLeftOut(path: string): boolean {
  return NO_EVENTS.test(path)
}

/** Whether a name found in a folder may be a file of a trail. */
export function isTrailName(name: string): boolean {
  return EVENTS.test(name)
}
