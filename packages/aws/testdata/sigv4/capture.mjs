// Captures requests signed by real AWS clients into ./captured. See README.md.
import { execFileSync, execFile } from 'node:child_process'
import { mkdirSync, writeFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import os from 'node:os'
import { Readable } from 'node:stream'
import { syncBuiltinESMExports } from 'node:module'

os.release = () => '6.0.0'
syncBuiltinESMExports()

const { DynamoDBClient, PutItemCommand, DeleteTableCommand } = await import('@aws-sdk/client-dynamodb')
const { S3Client, PutObjectCommand, DeleteObjectCommand, GetObjectCommand, DeleteObjectsCommand, PutBucketTaggingCommand, UploadPartCommand, CopyObjectCommand } =
  await import('@aws-sdk/client-s3')
const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
const { CloudFormationClient, DeleteStackCommand } = await import('@aws-sdk/client-cloudformation')
const { CostExplorerClient, GetCostAndUsageCommand } = await import('@aws-sdk/client-cost-explorer')

const folder = new URL('./captured/', import.meta.url)
mkdirSync(folder, { recursive: true })
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const sessionToken = 'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22w=='
const index = existsSync(new URL('index.json', folder))
  ? JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')).filter((row) => row.client === 'aws-cli' || row.client === 'botocore')
  : []

let current
const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    if (current !== undefined && !current.done) {
      current.done = true
      const body = Buffer.concat(chunks)
      const headers = []
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        const name = request.rawHeaders[i]
        let value = request.rawHeaders[i + 1]
        if (name.toLowerCase() === 'user-agent') value = current.row.client
        if (name.toLowerCase() === 'transfer-encoding') continue
        headers.push(`${name}: ${value}`)
      }
      const head = Buffer.from(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, 'latin1')
      writeFileSync(new URL(`${current.row.file}`, folder), Buffer.concat([head, body]))
    }
    response.writeHead(403, { 'content-type': 'text/xml' })
    response.end('<ErrorResponse xmlns="a"><Error><Code>AccessDenied</Code><Message>captured</Message></Error></ErrorResponse>')
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const endpoint = `http://127.0.0.1:${server.address().port}`

async function capture(row, send) {
  current = { row, done: false }
  await send().catch(() => undefined)
  if (!current.done) throw new Error(`${row.file}: nothing was sent`)
  const at = index.findIndex((each) => each.file === row.file)
  if (at >= 0) index.splice(at, 1)
  index.push(row)
}
const row = (file, client, service, region, payloadKind, extra = {}) => ({ file, client, service, region, payloadKind, form: 'header', ...extra })
const js = 'aws-sdk-js'
const options = (region, token) => ({ region, endpoint, credentials: { accessKeyId, secretAccessKey, ...(token ? { sessionToken: token } : {}) }, maxAttempts: 1 })
const s3 = (region = 'eu-west-1', token) => new S3Client({ ...options(region, token), forcePathStyle: true })

await capture(row('js-dynamodb-delete-table.http', js, 'dynamodb', 'us-east-1', 'signed'), () =>
  new DynamoDBClient(options('us-east-1')).send(new DeleteTableCommand({ TableName: 'orders' })))
await capture(row('js-dynamodb-put-item-token.http', js, 'dynamodb', 'cn-north-1', 'signed'), () =>
  new DynamoDBClient(options('cn-north-1', sessionToken)).send(new PutItemCommand({ TableName: 'orders', Item: { id: { S: 'Zürich 東京' } } })))
await capture(row('js-sts-get-caller-identity.http', js, 'sts', 'us-gov-west-1', 'signed'), () =>
  new STSClient(options('us-gov-west-1')).send(new GetCallerIdentityCommand({})))
await capture(row('js-cloudformation-delete-stack.http', js, 'cloudformation', 'eu-west-1', 'signed'), () =>
  new CloudFormationClient(options('eu-west-1')).send(new DeleteStackCommand({ StackName: 'web' })))
await capture(row('js-ce-get-cost-and-usage.http', js, 'ce', 'us-east-1', 'signed'), () =>
  new CostExplorerClient(options('us-east-1')).send(new GetCostAndUsageCommand({ TimePeriod: { Start: '2026-01-01', End: '2026-01-02' }, Granularity: 'DAILY', Metrics: ['UnblendedCost'] })))
await capture(row('js-s3-delete-object-odd-key.http', js, 's3', 'eu-west-1', 'signed'), () =>
  s3().send(new DeleteObjectCommand({ Bucket: 'reports', Key: "a//b/../c d+e~f(1)!*'é%2F.csv", VersionId: 'null' })))
await capture(row('js-s3-get-object.http', js, 's3', 'eu-west-1', 'signed'), () =>
  s3().send(new GetObjectCommand({ Bucket: 'reports', Key: '2025/08.csv', Range: 'bytes=0-9', ResponseContentDisposition: 'attachment; filename="a b.csv"' })))
await capture(row('js-s3-copy-object.http', js, 's3', 'eu-west-1', 'signed'), () =>
  s3().send(new CopyObjectCommand({ Bucket: 'reports', Key: 'b.csv', CopySource: 'reports/a%20b.csv', Metadata: { note: '  two   blanks ' }, MetadataDirective: 'REPLACE' })))
await capture(row('js-s3-delete-objects.http', js, 's3', 'eu-west-1', 'signed'), () =>
  s3().send(new DeleteObjectsCommand({ Bucket: 'reports', Delete: { Objects: [{ Key: 'a' }, { Key: 'b' }] } })))
await capture(row('js-s3-put-bucket-tagging.http', js, 's3', 'eu-west-1', 'signed'), () =>
  s3().send(new PutBucketTaggingCommand({ Bucket: 'reports', Tagging: { TagSet: [{ Key: 'env', Value: 'dev' }] } })))
await capture(row('js-s3-put-object.http', js, 's3', 'eu-west-1', 'signed'), () =>
  s3('eu-west-1', sessionToken).send(new PutObjectCommand({ Bucket: 'reports', Key: 'a.txt', Body: 'hello' })))
await capture(row('js-s3-put-object-stream.http', js, 's3', 'eu-west-1', 'streaming-unsigned-trailer'), () =>
  s3().send(new PutObjectCommand({ Bucket: 'reports', Key: 'a.txt', Body: Readable.from([Buffer.from('hello')]), ContentLength: 5 })))
await capture(row('js-s3-upload-part.http', js, 's3', 'eu-west-1', 'signed'), () =>
  s3().send(new UploadPartCommand({ Bucket: 'reports', Key: 'a.bin', UploadId: 'u+/=', PartNumber: 1, Body: Buffer.from([0, 255, 13, 10, 13, 10]) })))

// The AWS CLI and botocore, where they are installed.
const environment = { ...process.env, HOME: '/nonexistent', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_DEFAULT_REGION: 'eu-west-1', AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1' }
const cli = (...args) => () =>
  new Promise((resolve) => execFile('aws', [...args, '--endpoint-url', endpoint], { env: environment }, resolve))
try {
  execFileSync('aws', ['--version'])
  await capture(row('cli-iam-attach-role-policy.http', 'aws-cli', 'iam', 'eu-west-1', 'signed'), cli('iam', 'attach-role-policy', '--role-name', 'ci', '--policy-arn', 'arn:aws:iam::aws:policy/AdministratorAccess'))
  await capture(row('cli-ec2-stop-instances.http', 'aws-cli', 'ec2', 'eu-west-1', 'signed'), cli('ec2', 'stop-instances', '--instance-ids', 'i-0aaaaaaaaaaaaaaa1'))
  await capture(row('cli-lambda-get-function.http', 'aws-cli', 'lambda', 'eu-west-1', 'signed'), cli('lambda', 'get-function', '--function-name', 'arn:aws:lambda:eu-west-1:123456789012:function:job'))
  await capture(row('cli-s3-delete-object.http', 'aws-cli', 's3', 'eu-west-1', 'signed'), cli('s3api', 'delete-object', '--bucket', 'reports', '--key', 'a b/ü~.csv'))
  await capture(row('cli-route53-list.http', 'aws-cli', 'route53', 'eu-west-1', 'signed'), cli('route53', 'list-hosted-zones', '--max-items', '3'))
} catch (error) {
  console.error(`without the AWS CLI: ${error.message}`)
}

const python = `
import botocore.session, botocore.config, sys
s = botocore.session.get_session()
s.set_credentials('${accessKeyId}', '${secretAccessKey}', '${sessionToken}' if sys.argv[2] == 'token' else None)
c = s.create_client(sys.argv[1], region_name='eu-west-1', endpoint_url='http://127.0.0.1:8787', config=botocore.config.Config(signature_version='s3v4' if sys.argv[1] == 's3' else 'v4', s3={'addressing_style': 'path'}))
print(c.generate_presigned_url('get_object', dict(Bucket='reports', Key='a b/2025.csv')) if sys.argv[1] == 's3' else c.generate_presigned_url('get_caller_identity', HttpMethod='GET'), end='')
`
for (const [service, token, file] of [['s3', 'none', 'botocore-s3-presigned.http'], ['s3', 'token', 'botocore-s3-presigned-token.http'], ['sts', 'none', 'botocore-sts-presigned.http']]) {
  try {
    const url = execFileSync('python3', ['-c', python, service, token], { env: environment }).toString()
    const target = url.slice(url.indexOf('/', 8))
    writeFileSync(new URL(file, folder), `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:8787\r\nUser-Agent: curl\r\n\r\n`)
    const at = index.findIndex((each) => each.file === file)
    if (at >= 0) index.splice(at, 1)
    index.push(row(file, 'botocore', service, 'eu-west-1', service === 's3' ? 'unsigned' : 'signed', { form: 'presigned' }))
  } catch (error) {
    console.error(`without botocore: ${error.message}`)
  }
}
index.sort((a, b) => (a.file < b.file ? -1 : 1))
writeFileSync(new URL('index.json', folder), `${JSON.stringify(index, null, 1)}\n`)
server.closeAllConnections()
server.close()
