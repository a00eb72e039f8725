import { GatewayError } from './arm-error.ts'
import type { ArmAnswer, ArmRequest } from './exchange.ts'

const PAGE_SIZE = 1000

/** One page of a list: `$top` items after `$skiptoken`, with the absolute address of the next. */
export async function pageOf<T>(
  request: ArmRequest,
  items: readonly T[],
  present: (item: T) => Promise<unknown>,
): Promise<ArmAnswer> {
  const size = pageSize(request.query('$top'))
  const from = offsetOf(request.query('$skiptoken'))
  const value: unknown[] = []
  for (const item of items.slice(from, from + size)) value.push(await present(item))
  const next = from + size
  const nextLink = next < items.length ? linkTo(request, next) : undefined
  return { status: 200, body: { value, ...(nextLink && { nextLink }) } }
}

function pageSize(text: string | undefined): number {
  if (text === undefined) return PAGE_SIZE
  const size = Number(text)
  if (!Number.isInteger(size) || size < 1) throw invalid('$top', text)
  return Math.min(size, PAGE_SIZE)
}

function offsetOf(token: string | undefined): number {
  if (token === undefined) return 0
  const offset = Number(Buffer.from(token, 'base64url').toString())
  if (!Number.isInteger(offset) || offset < 0) throw invalid('$skiptoken', token)
  return offset
}

function linkTo(request: ArmRequest, offset: number): string {
  const url = new URL(request.url, request.baseUrl)
  for (const name of [...url.searchParams.keys()]) {
    if (name.toLowerCase() === '$skiptoken') url.searchParams.delete(name)
  }
  url.searchParams.set('$skiptoken', Buffer.from(String(offset)).toString('base64url'))
  return url.href
}

const invalid = (name: string, value: string) =>
  new GatewayError(400, {
    code: 'InvalidQueryParameterValue',
    message: `The value '${value}' of the query parameter '${name}' is invalid.`,
  })
