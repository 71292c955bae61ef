// Starts the sides of the gate bench that are other people's: nginx and mitmproxy, on loopback, where
// they are installed. One that is not there is left out and named.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child, freePort, listening } from './child.ts'

export interface Side {
  readonly name: string
  readonly port: number
  readonly child: Child
}

export function isInstalled(command: string, flag: string): boolean {
  return spawnSync(command, [flag], { stdio: 'ignore' }).status === 0
}

/** One nginx worker that forwards over kept connections, without a log. */
export async function startNginx(scratch: string, upstreamPort: number, core: number) {
  const folder = join(scratch, 'nginx')
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ')
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log crit;
events { worker_connections 256; }
http {
  access_log off; ${temporary} keepalive_requests 100000000;
  upstream app { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  )
  const args = ['-p', folder, '-e', `${folder}/error.log`, '-c', file]
  const child = new Child({ command: 'nginx', args, core, speaks: false })
  await listening(port)
  return { name: 'nginx', port, child } satisfies Side
}

/** mitmproxy as a reverse proxy without its screen; its CA goes to the scratch folder. */
export async function startMitmproxy(scratch: string, upstreamPort: number, core: number) {
  const port = await freePort()
  const args = ['--mode', `reverse:http://127.0.0.1:${upstreamPort}`, '--listen-port', `${port}`]
  args.push('--listen-host', '127.0.0.1', '-q', '--set', `confdir=${join(scratch, 'mitmproxy')}`)
  const child = new Child({ command: 'mitmdump', args, core, speaks: false })
  await listening(port)
  return { name: 'mitmproxy', port, child } satisfies Side
}
