// An environment, by its name and a colour; what only observes is hatched.

export function EnvironmentTag({ name }: { readonly name: string }) {
  return <span className={`environment environment-${kindOf(name)}`}>{name.toUpperCase()}</span>
}

/** Which colour a band has: any name that is none of these has that of production. */
export function kindOf(name: string): 'production' | 'staging' | 'development' | 'observe' {
  if (/^obs/i.test(name)) return 'observe'
  if (/^(stag|stage|pre-?prod|uat)/i.test(name)) return 'staging'
  return /^(dev|test|sandbox|lab)/i.test(name) ? 'development' : 'production'
}
