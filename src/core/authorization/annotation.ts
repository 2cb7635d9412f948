import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { AuthorizationError } from './error.ts'

/** What a policy says beside its conditions. Null is what it does not say. */
export interface Annotations {
  readonly id: string
  readonly description: string | null
  /** Of a permit: no credential lives longer. */
  readonly maxLifetimeSeconds: number | null
  /** Of a permit: no other scope is granted. */
  readonly scopes: readonly string[] | null
  /** Of a permit: it counts for no other audience. */
  readonly audiences: readonly string[] | null
  /** What it says of `context.approved` can be had: from an operator who approves, once or for minutes. */
  readonly requestable: Requestable | null
}

/** How an approval may count: once, or for so many minutes at most; `minutes` of null is once alone. */
export interface Requestable {
  readonly minutes: number | null
}

interface Row {
  readonly on: 'any' | PolicyJson['effect']
  readonly form: RegExp
}

/** Every annotation there is; another one is refused, so that a misspelt one never means nothing. */
const table: Readonly<Record<keyof Annotations, Row>> = {
  id: { on: 'any', form: /^[a-z0-9][a-z0-9-]{0,99}$/ },
  description: { on: 'any', form: /^[^\p{Cc}]{1,500}$/u },
  maxLifetimeSeconds: { on: 'permit', form: /^[1-9]\d{0,7}$/ },
  scopes: { on: 'permit', form: /^([\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*)?$/ },
  audiences: { on: 'permit', form: /^[\x21-\x7E]+( [\x21-\x7E]+)*$/ },
  requestable: { on: 'any', form: /^(|once|[1-9]\d{0,3})$/ },
}

/**
 * Reads the annotations of a policy.
 *
 * @throws AuthorizationError `authorization-annotation`, `authorization-id`
 */
export function readAnnotations({ effect, annotations = {} }: PolicyJson): Annotations {
  const texts = new Map(Object.entries(annotations).map(([name, text]) => [name, text ?? '']))
  const id = texts.get('id')
  if (id === undefined || !table.id.form.test(id))
    throw new AuthorizationError('authorization-id', { found: id ?? 'a policy without @id' })
  for (const [name, text] of texts) checkAnnotation(id, effect, name, text)
  const lifetime = texts.get('maxLifetimeSeconds')
  return {
    id,
    description: texts.get('description') ?? null,
    maxLifetimeSeconds: lifetime === undefined ? null : Number(lifetime),
    scopes: wordsOf(texts.get('scopes')),
    audiences: wordsOf(texts.get('audiences')),
    requestable: requestableOf(texts.get('requestable')),
  }
}

function checkAnnotation(id: string, effect: string, name: string, text: string): void {
  const row = Object.hasOwn(table, name) ? table[name as keyof Annotations] : undefined
  if (row !== undefined && (row.on === 'any' || row.on === effect) && row.form.test(text)) return
  throw new AuthorizationError('authorization-annotation', {
    found: `${id}: @${name}(${JSON.stringify(text.slice(0, 80))}) on a ${effect}`,
  })
}

function wordsOf(text: string | undefined): readonly string[] | null {
  return text === undefined ? null : text.split(' ').filter(word => word !== '')
}

function requestableOf(text: string | undefined): Requestable | null {
  if (text === undefined) return null
  return { minutes: text === '' || text === 'once' ? null : Number(text) }
}
