import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { factOf } from '../core/coded-error.ts'
import { hasRepeatedMember } from '../core/json/unique-members.ts'
import { ServiceError } from '../services/error.ts'
import { BodyBudget } from './body-budget.ts'
import { eachChunk } from './body-stream.ts'
import type { Step } from './context.ts'
import { HttpError } from './error.ts'

const maxDepth = 16

/** What every request may hold; more is counted. */
const freeBytes = 64 * 1024
const budget = new BodyBudget({ total: 128 * 1024 * 1024, each: 32 * 1024 * 1024 })

/**
 * Reads at most `limit` bytes; the rest is never held. Throws HttpError `body-too-large`, `body-incomplete`,
 * `body-crowded`.
 */
async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limit) throw tooLarge(limit)
  const address = request.socket.remoteAddress ?? ''
  const held = { chunks: [] as Buffer[], length: 0, counted: 0 }
  try {
    await eachChunk(request, chunk => {
      held.length += chunk.length
      if (held.length > limit) throw tooLarge(limit)
      const more = Math.max(0, held.length - freeBytes) - held.counted
      if (more > 0 && !budget.take(address, more)) throw new HttpError('body-crowded')
      held.counted += more
      held.chunks.push(chunk)
    })
    const [first] = held.chunks
    return held.chunks.length === 1 && first !== undefined ? first : Buffer.concat(held.chunks)
  } catch (cause) {
    throw cause instanceof HttpError ? cause : new HttpError('body-incomplete', { cause })
  } finally {
    if (held.counted > 0) budget.release(address, held.counted)
  }
}

function tooLarge(limit: number): HttpError {
  return new HttpError('body-too-large', { expected: `at most ${limit} bytes` })
}

function requireType(request: IncomingMessage, type: string): void {
  const values = request.headersDistinct['content-type'] ?? []
  const [found, ...others] = values.map(value => value.split(';')[0]?.trim().toLowerCase())
  if (found !== type || others.length > 0)
    throw new HttpError('body-type', { expected: type, found: factOf(values.join(', ')) })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new HttpError('body-malformed', { expected: 'UTF-8', cause })
  }
}

/** Depth is looked at before parsing, so that no nesting reaches the parser's stack. */
function requireShallow(text: string): void {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index)
    if (inString) {
      if (character === 0x5c) index += 1
      else if (character === 0x22) inString = false
    } else if (character === 0x22) inString = true
    else if (character === 0x7b || character === 0x5b) depth += 1
    else if (character === 0x7d || character === 0x5d) depth -= 1
    if (depth > maxDepth)
      throw new HttpError('body-malformed', { expected: `at most ${maxDepth} levels` })
  }
}

function parseJson(text: string): unknown {
  requireShallow(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HttpError('body-malformed', { expected: 'JSON', cause })
  }
  if (hasRepeatedMember(text, value))
    throw new HttpError('body-malformed', { expected: 'each member once' })
  return value
}

/** Leaves `ctx.state.body` in the form of the schema; refuses unknown members. */
export function readJson(schema: z.ZodType, limit: number = 64 * 1024): Step {
  return async function readJsonBody(ctx, next) {
    requireType(ctx.req, 'application/json')
    const result = schema.safeParse(parseJson(decodeText(await readBytes(ctx.req, limit))))
    if (!result.success) {
      const [issue] = result.error.issues
      const place = issue?.path.join('.') || 'the body'
      // Names of members are the caller's own text: shown, but not at any length.
      throw new ServiceError('request-malformed', {
        found: factOf(`${place}: ${issue?.message ?? 'unreadable'}`, 300),
      })
    }
    ctx.state.body = result.data
    await next()
  }
}

/** Leaves `ctx.state.body` as bytes, of one media type. */
export function readOctets(type: string, limit: number): Step {
  return async function readOctetsBody(ctx, next) {
    requireType(ctx.req, type)
    ctx.state.body = await readBytes(ctx.req, limit)
    await next()
  }
}

/** A form as it was sent; `resources` are the values of the one parameter that may come several times (RFC 8707 §2). */
export interface Form {
  readonly parameters: Readonly<Record<string, string>>
  readonly resources: readonly string[]
}

/** Any other parameter that occurs twice is refused (RFC 6749 §3.2). */
export async function readForm(request: IncomingMessage, limit: number): Promise<Form> {
  requireType(request, 'application/x-www-form-urlencoded')
  const parameters: Record<string, string> = Object.create(null) as Record<string, string>
  const resources: string[] = []
  for (const [name, value] of new URLSearchParams(decodeText(await readBytes(request, limit)))) {
    // RFC 6749 §3.2: a parameter without a value counts as not sent.
    if (value === '') continue
    if (name === 'resource') resources.push(value)
    else if (name in parameters)
      throw new HttpError('body-malformed', { found: `${name.slice(0, 40)} twice` })
    else parameters[name] = value
  }
  return { parameters, resources }
}
