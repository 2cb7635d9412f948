import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import { printable } from '../attester/remote-error.ts'
import type { CommandAnswer } from './command.ts'

/** A stream of this process or of a test. */
export type OutputStream = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean }

/** Where a command writes: its answer to `stdout` and nothing else there; all else to `stderr`. */
export interface Streams {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}

/**
 * Writes an answer as the caller asked for it: lines for people, or the one JSON document. Whatever a service put into
 * it, a line stays a line and moves no cursor.
 */
export function writeAnswer(streams: Streams, answer: CommandAnswer, isJson: boolean): void {
  const text = isJson ? encodeDocument(answer.json) : answer.lines.map(printable).join('\n')
  if (text !== '') streams.stdout.write(`${text}\n`)
}

/**
 * JSON that is safe on a terminal too: what JSON leaves of control characters and marks of writing direction is
 * escaped (RFC 8259 §7 allows it for any character).
 */
export function encodeDocument(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replaceAll(
    /[\u007F-\u009F\u2028\u2029\p{Bidi_Control}]/gu,
    character => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}

/** Colour where a person looks at it: on a terminal, unless NO_COLOR says otherwise. Plain text everywhere else. */
export function style(
  stream: OutputStream,
  format: Parameters<typeof styleText>[0],
  text: string,
): string {
  return stream.isTTY === true
    ? styleText(format, text, { stream: process.stderr, validateStream: true })
    : text
}
