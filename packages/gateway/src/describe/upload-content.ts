// The noun of a multipart upload that the gate saw whole: what its Complete would put together.
import type { Action } from './action.ts'

/** As it stands in the parameters of a Complete in place of upload id and ETags. */
export interface UploadContent {
  readonly parts: number
  readonly bytes: number
  /** Over number, hash, size and whatever else the call says of each part, in the order of the call. */
  readonly sha256: string
}

/** The content of a Complete, where the gate knows it: no model of S3 has these two members. */
export function contentOf({ operation, parameters }: Action): UploadContent | null {
  if (operation !== 's3:CompleteMultipartUpload' || !Object.hasOwn(parameters, 'BegunWith'))
    return null
  return parameters['Content'] as unknown as UploadContent
}
