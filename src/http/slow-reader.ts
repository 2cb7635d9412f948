import type { ServerResponse } from 'node:http'

/**
 * Passes lines on one at a time to a caller that reads them, and ends the connection of one that does not: when a line,
 * or the end, is not taken within the time. Nothing is held for it meanwhile but that line.
 *
 * @param ms milliseconds
 */
export async function* dropSlowReader(
  response: ServerResponse,
  lines: AsyncIterable<string>,
  ms: number,
): AsyncGenerator<string, void, undefined> {
  let timer: NodeJS.Timeout | undefined
  const wait = (): void => {
    if (!response.closed) timer = setTimeout(() => response.destroy(), ms).unref()
  }
  response.once('close', () => clearTimeout(timer))
  for await (const line of lines) {
    wait()
    yield line
    clearTimeout(timer)
  }
  // What was written last may still wait for the caller, and its place with it.
  wait()
}
