// The sections of seconder.yaml that a running gate takes: none of them decides anything.

export const RELOADED: ReadonlySet<string> = new Set(['notify', 'limits', 'log'])
