import { decodeBase64url, EncodingError } from '../core/bytes/base64url.ts'
import { AttesterError } from './error.ts'

/**
 * Reads the members of an answer of the service, each of the kind that its interface promises. The service is
 * authenticated, but an answer is still only bytes until it was read.
 */
export class Answer {
  readonly #members: Readonly<Record<string, unknown>>
  readonly #place: string

  /** @throws AttesterError `answer-malformed` when it is not an object */
  constructor(value: unknown, place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new AttesterError('answer-malformed', { expected: `${place}: an object` })
    }
    this.#members = value as Record<string, unknown>
    this.#place = place
  }

  /** A text that is not empty. Throws AttesterError `answer-malformed`. */
  text(name: string): string {
    const value = this.#members[name]
    if (typeof value !== 'string' || value === '') this.#refuse(name, 'a text')
    return value
  }

  /** An identifier of the service, safe in a path and in a file name. Throws AttesterError `answer-malformed`. */
  id(name: string): string {
    const value = this.text(name)
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(value)) this.#refuse(name, 'an identifier')
    return value
  }

  /** Octets in base64url, at least `minimum` of them. Throws AttesterError `answer-malformed`. */
  octets(name: string, minimum = 1): Uint8Array {
    try {
      const value = decodeBase64url(this.text(name))
      if (value.length >= minimum) return value
    } catch (cause) {
      if (!(cause instanceof EncodingError)) throw cause
    }
    return this.#refuse(name, `base64url of at least ${minimum} octets`)
  }

  /** A number that is whole and not negative. Throws AttesterError `answer-malformed`. */
  number(name: string): number {
    const value = this.#members[name]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      this.#refuse(name, 'a whole number')
    }
    return value
  }

  /** A list, each value of which `read` takes. Throws AttesterError `answer-malformed`. */
  list<T>(name: string, read: (value: unknown, place: string) => T): T[] {
    const value = this.#members[name]
    if (!Array.isArray(value)) this.#refuse(name, 'a list')
    return value.map((each: unknown, at) => read(each, `${this.#place}.${name}[${at}]`))
  }

  /** An answer within the answer. Throws AttesterError `answer-malformed`. */
  within(name: string): Answer {
    return new Answer(this.#members[name], `${this.#place}.${name}`)
  }

  /** A member as it came. */
  raw(name: string): unknown {
    return this.#members[name]
  }

  #refuse(name: string, expected: string): never {
    throw new AttesterError('answer-malformed', { expected: `${this.#place}.${name}: ${expected}` })
  }
}
