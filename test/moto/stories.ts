// What the moto tier runs: AWS CLI commands in order, service by service, each said to pass at once (a
// read) or to be held for review (a write, or a secret). Expected by what the operations do, not by what
// the gate says of them.

export interface Step {
  /** After `aws`; words are divided by spaces outside of '', `{name}` is what an earlier step kept. */
  readonly run: string
  readonly isHeld: boolean
  /** What later steps need of the answer: name and path in its JSON, `Stacks.0.StackId`. */
  readonly keep?: Readonly<Record<string, string>>
  /** The error that AWS itself answers with, where it is one. */
  readonly fails?: string
}

export type Story = readonly Step[]

const passes = (run: string, keep?: Step['keep']): Step => ({
  run,
  isHeld: false,
  ...(keep && { keep }),
})
const held = (run: string, keep?: Step['keep']): Step => ({ ...passes(run, keep), isHeld: true })
const missing = (run: string, fails: string): Step => ({ ...passes(run), fails })

const TRUST =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
const TOPIC_TEMPLATE =
  '{"Resources":{"T":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"from-stack"}}}}'
const TWO_TOPICS =
  '{"Resources":{"T":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"from-stack"}},"U":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"second"}}}}'
const MACHINE = '{"StartAt":"Done","States":{"Done":{"Type":"Succeed"}}}'
const KEYS =
  '--attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH'

const STORIES: Readonly<Record<string, Story>> = {
  sts: [passes('sts get-caller-identity')],
  iam: [
    held(`iam create-role --role-name worker --assume-role-policy-document ${TRUST}`),
    passes('iam get-role --role-name worker'),
    // Stories run at once on one account: a list shows this story's own alone.
    passes("iam list-roles --query 'Roles[?RoleName==`worker`]'"),
    missing('iam get-role --role-name nobody', 'NoSuchEntity'),
  ],
  ec2: [
    held('ec2 create-vpc --cidr-block 10.1.0.0/16', { vpc: 'Vpc.VpcId' }),
    passes('ec2 describe-vpcs --vpc-ids {vpc}'),
    held('ec2 create-tags --resources {vpc} --tags Key=team,Value=blue'),
    passes('ec2 describe-tags --filters Name=resource-id,Values={vpc}'),
    held('ec2 delete-vpc --vpc-id {vpc}'),
    missing('ec2 describe-vpcs --vpc-ids {vpc}', 'InvalidVpcID.NotFound'),
  ],
  s3: [
    held('s3 mb s3://orders'),
    held('s3 cp --no-progress notes.txt s3://orders/a/notes.txt'),
    passes('s3 ls s3://orders/a/'),
    passes('s3 cp s3://orders/a/notes.txt -'),
    passes('s3api head-object --bucket orders --key a/notes.txt'),
    passes('s3api get-object-tagging --bucket orders --key a/notes.txt'),
    held('s3api put-bucket-versioning --bucket orders --versioning-configuration Status=Enabled'),
    passes('s3api get-bucket-versioning --bucket orders'),
    held('s3 rm s3://orders/a/notes.txt'),
    missing('s3api get-object --bucket orders --key a/notes.txt out.txt', 'NoSuchKey'),
  ],
  dynamodb: [
    held(`dynamodb create-table --table-name orders ${KEYS} --billing-mode PAY_PER_REQUEST`),
    held('dynamodb put-item --table-name orders --item {"id":{"S":"1"},"note":{"S":"é<&>"}}'),
    passes('dynamodb get-item --table-name orders --key {"id":{"S":"1"}}'),
    passes('dynamodb scan --table-name orders'),
    passes('dynamodb describe-table --table-name orders'),
    held('dynamodb delete-table --table-name orders'),
    passes('dynamodb list-tables'),
  ],
  cloudformation: [
    held(`cloudformation create-stack --stack-name topics --template-body ${TOPIC_TEMPLATE}`),
    passes('cloudformation wait stack-create-complete --stack-name topics'),
    passes('cloudformation describe-stack-resources --stack-name topics'),
    held(
      `cloudformation create-change-set --stack-name topics --change-set-name more --template-body ${TWO_TOPICS}`,
    ),
    passes('cloudformation describe-change-set --stack-name topics --change-set-name more'),
    held('cloudformation delete-stack --stack-name topics'),
    passes('cloudformation list-stacks --query StackSummaries[].StackStatus'),
  ],
  lambda: [
    held(`iam create-role --role-name runner --assume-role-policy-document ${TRUST}`),
    held(
      'lambda create-function --function-name thumbs --runtime python3.12 --role arn:aws:iam::123456789012:role/runner --handler a.b --zip-file fileb://code.zip',
    ),
    // The environment in the answer may hold secrets.
    held('lambda get-function-configuration --function-name thumbs'),
    held('lambda list-functions'),
    held('lambda delete-function --function-name thumbs'),
  ],
  ecs: [
    held('ecs create-cluster --cluster-name web'),
    passes('ecs list-clusters'),
    held('ecs delete-cluster --cluster web'),
  ],
  ecr: [
    held('ecr create-repository --repository-name app'),
    passes('ecr describe-repositories'),
    held('ecr delete-repository --repository-name app'),
  ],
  rds: [
    held(
      'rds create-db-instance --db-instance-identifier db --db-instance-class db.t3.micro --engine postgres --master-username u --master-user-password hunter22 --allocated-storage 20',
    ),
    passes('rds describe-db-instances'),
    held('rds delete-db-instance --db-instance-identifier db --skip-final-snapshot'),
  ],
  kms: [
    held('kms create-key --description d', { key: 'KeyMetadata.KeyId' }),
    passes('kms describe-key --key-id {key}'),
    held('kms schedule-key-deletion --key-id {key} --pending-window-in-days 7'),
  ],
  logs: [
    held('logs create-log-group --log-group-name app'),
    held('logs put-retention-policy --log-group-name app --retention-in-days 7'),
    passes('logs describe-log-groups'),
  ],
  cloudwatch: [
    held(
      'cloudwatch put-metric-alarm --alarm-name cpu --metric-name CPU --namespace N --statistic Sum --period 60 --evaluation-periods 1 --threshold 1.5 --comparison-operator GreaterThanThreshold',
    ),
    passes('cloudwatch describe-alarms'),
    held('cloudwatch delete-alarms --alarm-names cpu'),
  ],
  sns: [
    held('sns create-topic --name alerts', { topic: 'TopicArn' }),
    passes("sns list-topics --query 'Topics[?ends_with(TopicArn,`:alerts`)]'"),
    held('sns publish --topic-arn {topic} --message hello'),
    held('sns delete-topic --topic-arn {topic}'),
  ],
  sqs: [
    held('sqs create-queue --queue-name jobs --attributes VisibilityTimeout=60', {
      queue: 'QueueUrl',
    }),
    passes('sqs get-queue-attributes --queue-url {queue} --attribute-names All'),
    held('sqs send-message --queue-url {queue} --message-body hello'),
    held('sqs purge-queue --queue-url {queue}'),
  ],
  ssm: [
    held('ssm put-parameter --name /app/password --type SecureString --value hunter22'),
    passes('ssm describe-parameters'),
    passes('ssm get-parameter --name /app/password'),
    held('ssm get-parameter --name /app/password --with-decryption'),
  ],
  secretsmanager: [
    held(
      // The token becomes the version's id, so a command to be repeated after review must name it.
      'secretsmanager create-secret --name db --secret-string hunter22 --client-request-token 0123456789abcdef0123456789abcdef',
    ),
    passes('secretsmanager list-secrets'),
    held('secretsmanager get-secret-value --secret-id db'),
  ],
  route53: [
    held('route53 create-hosted-zone --name example.com --caller-reference one', {
      zone: 'HostedZone.Id',
    }),
    passes('route53 list-hosted-zones'),
    passes('route53 list-resource-record-sets --hosted-zone-id {zone}'),
    held('route53 delete-hosted-zone --id {zone}'),
  ],
  organizations: [
    held('organizations create-organization --feature-set ALL'),
    passes('organizations describe-organization'),
  ],
  events: [
    held("events put-rule --name nightly --schedule-expression 'cron(0 1 * * ? *)'"),
    passes('events list-rules'),
    held('events delete-rule --name nightly'),
  ],
  stepfunctions: [
    held(
      `stepfunctions create-state-machine --name flow --definition ${MACHINE} --role-arn arn:aws:iam::123456789012:role/runner`,
    ),
    passes('stepfunctions list-state-machines'),
  ],
  kinesis: [
    held('kinesis create-stream --stream-name clicks --shard-count 1'),
    passes('kinesis describe-stream-summary --stream-name clicks'),
    held('kinesis delete-stream --stream-name clicks'),
  ],
  elbv2: [
    held('elbv2 create-target-group --name web --target-type lambda'),
    passes('elbv2 describe-target-groups'),
  ],
  autoscaling: [
    held(
      'autoscaling create-launch-configuration --launch-configuration-name lc --image-id ami-12345678 --instance-type t3.micro',
    ),
    passes('autoscaling describe-launch-configurations'),
    held('autoscaling delete-launch-configuration --launch-configuration-name lc'),
  ],
  apigateway: [
    held('apigateway create-rest-api --name api', { api: 'id' }),
    passes('apigateway get-rest-apis'),
    held('apigateway delete-rest-api --rest-api-id {api}'),
  ],
  glue: [
    held('glue create-database --database-input {"Name":"lake"}'),
    passes('glue get-databases'),
    held('glue delete-database --name lake'),
  ],
  athena: [held('athena create-work-group --name team'), passes('athena list-work-groups')],
  acm: [held('acm request-certificate --domain-name example.com'), passes('acm list-certificates')],
}

/** Services played where nobody asks for all: each command is three starts of Python. */
const PLAYED_SERVICES = 7

/** The stories to play: `SECONDER_MOTO=all` (`npm run test:moto`) plays each, else the shortest ones. */
export const PLAYED: readonly (readonly [service: string, story: Story])[] = Object.entries(STORIES)
  .toSorted(([, one], [, other]) => one.length - other.length)
  .slice(0, process.env['SECONDER_MOTO'] === 'all' ? undefined : PLAYED_SERVICES)
