/** Functions that another process can call: what they take and give is plain data (what `structuredClone` copies). */
export type Callable<T> = { readonly [K in keyof T]: (...args: never[]) => Promise<unknown> }

/** How messages come and go; in order, and whole. */
export interface Channel {
  send(message: object): void
  onMessage(listener: (message: object) => void): void
  onClose(listener: () => void): void
}

/** Functions of two processes that call each other. */
export interface Rpc {
  /** Lets the other side call the functions that `object` itself has, by the name of the object. */
  serve<T extends Callable<T>>(name: string, object: T): void
  /** The object of that name on the other side. Its functions throw what they throw there, or `ChannelClosed`. */
  remote<T extends Callable<T>>(name: string): T
}

/** The other process has gone, and with it the answer; what was asked for may have been done. */
export class ChannelClosed extends Error {
  override readonly name = 'ChannelClosed'
  constructor() {
    super('the other process has ended')
  }
}

/** An error as it crosses: its name and words, what else it carries, and why. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly cause?: PlainError | undefined
  readonly fields: Readonly<Record<string, unknown>>
}

/** Makes errors of a class again of what crossed, by the name of the class. The others become an `Error` with the same fields. */
export type ErrorMakers = Readonly<
  Record<string, (plain: PlainError, options: ErrorOptions) => Error>
>

interface Call {
  readonly kind: 'call'
  readonly id: number
  readonly object: string
  readonly method: string
  readonly args: readonly unknown[]
}

type Result =
  | { readonly kind: 'returned'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'thrown'; readonly id: number; readonly error: PlainError }

/** Calls functions over a channel, and answers to calls. Messages of other kinds pass by. */
export function createRpc(channel: Channel, errors: ErrorMakers = {}): Rpc {
  const objects = new Map<string, object>()
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let isClosed = false
  let calls = 0

  channel.onMessage((message) => {
    const { kind } = message as { kind?: unknown }
    if (kind === 'call') void answer(message as Call)
    if (kind === 'returned' || kind === 'thrown') settle(message as Result)
  })
  channel.onClose(() => {
    isClosed = true
    for (const { reject } of waiting.values()) reject(new ChannelClosed())
    waiting.clear()
  })

  async function answer({ id, object, method, args }: Call): Promise<void> {
    let result: Result
    try {
      const found = objects.get(object)
      const work = found && Object.hasOwn(found, method) && Reflect.get(found, method)
      if (typeof work !== 'function') throw new Error(`there is no function ${object}.${method}`)
      result = { kind: 'returned', id, value: await work(...args) }
    } catch (thrown) {
      result = { kind: 'thrown', id, error: toPlain(thrown) }
    }
    if (!isClosed) channel.send(result)
  }

  function settle(result: Result): void {
    const { resolve, reject } = waiting.get(result.id) ?? {}
    waiting.delete(result.id)
    if (result.kind === 'returned') resolve?.(result.value)
    else reject?.(fromPlain(result.error, errors))
  }

  function call(object: string, method: string, args: readonly unknown[]): Promise<unknown> {
    if (isClosed) return Promise.reject(new ChannelClosed())
    calls += 1
    const answered = Promise.withResolvers<unknown>()
    waiting.set(calls, answered)
    const message: Call = { kind: 'call', id: calls, object, method, args }
    channel.send(message)
    return answered.promise
  }

  return {
    serve: (name, object) => void objects.set(name, object),
    remote: <T extends Callable<T>>(name: string) =>
      new Proxy({} as T, {
        // Whoever awaits the object itself must not take it for a promise.
        get: (_target, method) =>
          typeof method === 'string' && method !== 'then'
            ? (...args: readonly unknown[]) => call(name, method, args)
            : undefined,
      }),
  }
}

function toPlain(thrown: unknown): PlainError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown), fields: {} }
  const { name, message, stack, cause } = thrown
  return {
    name,
    message,
    stack,
    ...(cause !== undefined && { cause: toPlain(cause) }),
    fields: Object.fromEntries(Object.entries(thrown).filter(([, value]) => isPlain(value))),
  }
}

function fromPlain(plain: PlainError, errors: ErrorMakers): Error {
  const options = plain.cause ? { cause: fromPlain(plain.cause, errors) } : {}
  const made = errors[plain.name]?.(plain, options)
  if (made) return made
  const error = Object.assign(new Error(plain.message, options), plain.fields)
  error.name = plain.name
  error.stack = plain.stack ?? error.stack ?? ''
  return error
}

function isPlain(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}
