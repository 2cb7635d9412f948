import { get, type IncomingMessage } from 'node:http'
import type { ExecutionContext } from 'ava'
import type { TestApi } from '../support/test-api.ts'
import { proofOf, type TestCaller } from '../support/test-caller.ts'

/** One event of a stream. */
export interface Told {
  readonly id: string
  readonly type: string
  readonly data: Record<string, unknown>
}

/** A stream that is held open: its answer, its next event, and every comment so far. */
export interface Held {
  readonly answer: IncomingMessage
  readonly comments: readonly string[]
  next(): Promise<Told | 'end'>
}

/** Opens a stream as a caller. */
export async function listen(
  t: ExecutionContext,
  api: TestApi,
  caller: TestCaller,
  last?: string,
): Promise<Held> {
  const path = '/v1/events'
  const proof = await proofOf(api, caller.key, { method: 'GET', path, token: caller.token })
  const headers = {
    Authorization: `DPoP ${caller.token}`,
    DPoP: proof,
    ...(last === undefined ? {} : { 'Last-Event-ID': last }),
  }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port: api.port, path, headers, agent: false }, resolve).on('error', reject)
  })
  t.teardown(() => answer.destroy())
  const comments: string[] = []
  const told = eventsOf(answer, comments)
  return {
    answer,
    comments,
    next: async () => {
      const { value } = await told.next()
      return value ?? 'end'
    },
  }
}

async function* eventsOf(
  answer: IncomingMessage,
  comments: string[],
): AsyncGenerator<Told, undefined> {
  let text = ''
  answer.setEncoding('utf8')
  for await (const chunk of answer) {
    text += String(chunk)
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string): string | undefined =>
        lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const [id, type, data] = [field('id'), field('event'), field('data')]
      if (id !== undefined && type !== undefined && data !== undefined)
        yield { id, type, data: JSON.parse(data) as never }
      else if (lines[0]?.startsWith(': ') === true) comments.push(lines[0].slice(2))
    }
  }
  return undefined
}
