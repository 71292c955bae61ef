// A fresh process that describes one request, or nothing, and prints the milliseconds since it began.

if (process.argv[2] === 'call') {
  const { describeCall } = await import('@seconder/aws/describe-call')
  const headers = [
    ['host', 'dynamodb.eu-west-1.amazonaws.com'],
    ['content-type', 'application/x-amz-json-1.0'],
    ['x-amz-target', 'DynamoDB_20120810.ListTables'],
  ] as const
  const request = { method: 'POST', target: '/', headers, body: new TextEncoder().encode('{}') }
  const scope = { service: 'dynamodb', region: 'eu-west-1' }
  describeCall(request, scope, { account: '123456789012' })
}
process.stdout.write(String(performance.now()))
