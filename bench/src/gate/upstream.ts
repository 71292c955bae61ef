// The upstream of the gate bench, as a child: answers every request with one kilobyte as DynamoDB would
// answer GetItem. It looks at nothing, so that what is measured is the side in front of it.
import http from 'node:http'
import type { AddressInfo } from 'node:net'

const VALUE_CHARACTERS = 960

const body = JSON.stringify({
  Item: { id: { S: 'a' }, value: { S: 'x'.repeat(VALUE_CHARACTERS) } },
})
const headers = {
  'content-type': 'application/x-amz-json-1.0',
  'content-length': String(Buffer.byteLength(body)),
  'x-amzn-requestid': 'BENCH000000000000000000000000000000000000000000000000',
}

const server = http.createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
  incoming.resume()
  incoming.once('end', () => outgoing.writeHead(200, headers).end(body))
})

process.once('message', () => {
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
})
process.once('disconnect', () => process.exit(0))
