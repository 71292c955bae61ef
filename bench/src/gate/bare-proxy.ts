// The peer: a bare Node proxy as a child. It buffers the body as the gate must, forwards over a
// keep-alive agent, and streams the answer back; it verifies, decides and records nothing.
import http from 'node:http'
import type { AddressInfo } from 'node:net'

interface Start {
  readonly upstreamPort: number
}

process.once('message', ({ upstreamPort }: Start) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.once('end', () => {
      const onward = http.request({
        agent,
        host: '127.0.0.1',
        port: upstreamPort,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      })
      onward.once('response', (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      onward.once('error', () => outgoing.writeHead(502).end())
      onward.end(Buffer.concat(chunks))
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
})
process.once('disconnect', () => process.exit(0))
