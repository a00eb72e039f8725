/** What one check found. A `cure` says what to do; it is there whenever something is not in order. */
export type Finding =
  | { readonly state: 'ok'; readonly check: string; readonly found: string }
  | {
      /** `warning`: it serves, but not for long or not well. */
      readonly state: 'warning' | 'failed'
      readonly check: string
      readonly found: string
      readonly cure: string
    }

export const ok = (check: string, found: string): Finding => ({ state: 'ok', check, found })

export const warning = (check: string, found: string, cure: string): Finding => ({
  state: 'warning',
  check,
  found,
  cure,
})

export const failed = (check: string, found: string, cure: string): Finding => ({
  state: 'failed',
  check,
  found,
  cure,
})
