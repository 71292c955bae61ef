// The environment of commands that tests start: where modules lie that earlier starts compiled, which is half of what
// a start costs. The config of vitest names the place; a process writes there when it ends in order.
export const COMPILED: Readonly<Record<string, string>> = {
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
}
