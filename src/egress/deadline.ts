import { EgressError } from '../lib/egress-error.ts'

/** The end of a request's time, or of its caller's interest, whichever comes first. */
export interface Deadline {
  /** Aborts with an EgressError. */
  readonly signal: AbortSignal
  /** Waits for what cannot be cancelled no longer than that. */
  race<T>(work: Promise<T>): Promise<T>
  clear(): void
}

export function deadlineOf(
  host: string,
  request: { readonly timeoutSeconds: number; readonly signal?: AbortSignal },
): Deadline {
  const end = new AbortController()
  const { signal: caller } = request
  const tooLate = () => end.abort(new EgressError('timeout', host))
  const timer = setTimeout(tooLate, request.timeoutSeconds * 1000)
  const cancel = () => end.abort(new EgressError('cancelled', host, { cause: caller?.reason }))
  if (caller?.aborted) cancel()
  caller?.addEventListener('abort', cancel, { once: true })
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  aborted.catch(() => undefined)
  end.signal.addEventListener('abort', () => reject(end.signal.reason), { once: true })
  if (end.signal.aborted) reject(end.signal.reason)
  return {
    signal: end.signal,
    race: (work) => Promise.race([work, aborted]),
    clear() {
      clearTimeout(timer)
      caller?.removeEventListener('abort', cancel)
    },
  }
}
