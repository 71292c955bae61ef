// Truth of three values: a policy may depend on something that a trail or an export does not say.
// Unknown is a value here and never becomes a yes; strong Kleene logic.
// Source: S. C. Kleene, Introduction to Metamathematics (1952), section 64.

export type Truth = 'yes' | 'no' | 'unknown'

export function truth(value: boolean): Truth {
  return value ? 'yes' : 'no'
}

export function not(value: Truth): Truth {
  if (value === 'unknown') return 'unknown'
  return value === 'yes' ? 'no' : 'yes'
}

export function and(left: Truth, right: Truth): Truth {
  if (left === 'no' || right === 'no') return 'no'
  return left === 'yes' && right === 'yes' ? 'yes' : 'unknown'
}

export function or(left: Truth, right: Truth): Truth {
  if (left === 'yes' || right === 'yes') return 'yes'
  return left === 'no' && right === 'no' ? 'no' : 'unknown'
}

/** `yes` where every one is, also of none; stops at the first `no`. */
export function all<T>(items: readonly T[], of: (item: T) => Truth): Truth {
  let sum: Truth = 'yes'
  for (const item of items) {
    sum = and(sum, of(item))
    if (sum === 'no') return 'no'
  }
  return sum
}

/** `yes` where one is; `no` of none; stops at the first `yes`. */
export function any<T>(items: readonly T[], of: (item: T) => Truth): Truth {
  let sum: Truth = 'no'
  for (const item of items) {
    sum = or(sum, of(item))
    if (sum === 'yes') return 'yes'
  }
  return sum
}
