// The two kinds of failure in the lab's cloud: an answer that AWS itself would give as an error
// (`CloudError`), and a setup of the lab that cannot work (`LabError`).

/** AWS error codes the lab answers with. The code is what a client sees; it is never invented. */
export type CloudErrorCode =
  | 'AccessDenied'
  | 'AccessDeniedException'
  | 'AlreadyExistsException'
  | 'AuthorizationHeaderMalformed'
  | 'BackupInUseException'
  | 'BackupNotFoundException'
  | 'BadDigest'
  | 'BucketAlreadyExists'
  | 'BucketAlreadyOwnedByYou'
  | 'BucketNotEmpty'
  | 'ChangeSetNotFound'
  | 'ExpiredToken'
  | 'ExpiredTokenException'
  | 'IllegalLocationConstraintException'
  | 'IncompleteSignature'
  | 'IncompleteSignatureException'
  | 'InsufficientCapabilitiesException'
  | 'InternalFailure'
  | 'InvalidAccessKeyId'
  | 'InvalidAction'
  | 'InvalidArgument'
  | 'InvalidChangeSetStatus'
  | 'InvalidClientTokenId'
  | 'InvalidLocationConstraint'
  | 'InvalidParameterCombination'
  | 'InvalidRequest'
  | 'InvalidBucketName'
  | 'InvalidRange'
  | 'InvalidSignatureException'
  | 'InvalidURI'
  | 'MalformedXML'
  | 'MethodNotAllowed'
  | 'MissingAuthenticationToken'
  | 'MissingAuthenticationTokenException'
  | 'MissingParameter'
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchLifecycleConfiguration'
  | 'NoSuchVersion'
  | 'NotImplemented'
  | 'ObjectLockConfigurationNotFoundError'
  | 'PointInTimeRecoveryUnavailableException'
  | 'PreconditionFailed'
  | 'RequestEntityTooLarge'
  | 'RequestTimeTooSkewed'
  | 'ResourceInUseException'
  | 'ResourceNotFoundException'
  | 'SerializationException'
  | 'SignatureDoesNotMatch'
  | 'TableAlreadyExistsException'
  | 'TableInUseException'
  | 'TableNotFoundException'
  | 'TokenAlreadyExistsException'
  | 'UnknownOperationException'
  | 'UnrecognizedClientException'
  | 'ValidationError'
  | 'ValidationException'
  | 'XAmzContentSHA256Mismatch'

/** A code that came from dynalite or s3rver and is passed on. */
export type RelayedCode = string & { readonly relayed: unique symbol }

/**
 * An error that AWS would answer. `message` goes to the client word for word, so it keeps AWS's own
 * wording (capitals and full stops included) where AWS has one.
 */
export class CloudError extends Error {
  override readonly name = 'CloudError'
  readonly code: CloudErrorCode | RelayedCode
  readonly status: number

  constructor(code: CloudErrorCode | RelayedCode, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }

  /** An error a backend answered, with its code as it is. */
  static relayed(code: string, message: string, status: number): CloudError {
    return new CloudError(code as RelayedCode, message, status)
  }
}

export type LabErrorCode =
  | 'backend_failed'
  | 'export_missing'
  | 'limit_exceeded'
  | 'not_running'
  | 'stack_failed'

/** A lab that cannot do its own work; never the answer to a client. */
export class LabError extends Error {
  override readonly name = 'LabError'
  readonly code: LabErrorCode
  readonly help: string

  constructor(code: LabErrorCode, message: string, help: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.help = help
  }
}
