import type { IncomingMessage } from 'node:http'

/**
 * Gives each chunk of a request's body to `take`; rejects with what `take` throws, and when the body breaks off. By
 * events: an iterator over the stream costs as much as all the rest of reading.
 *
 * Left early, the stream lives on: the refusal goes out over the same socket, and Node discards what still comes.
 */
export async function eachChunk(
  request: IncomingMessage,
  take: (chunk: Buffer) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (cause?: Error): void => {
      request.off('data', onData).off('end', settle).off('error', settle).off('close', onClose)
      if (cause === undefined) resolve()
      else reject(cause)
    }
    const onData = (chunk: Buffer): void => {
      try {
        take(chunk)
      } catch (cause) {
        request.pause()
        settle(cause as Error)
      }
    }
    const onClose = (): void => settle(new Error('the body broke off'))
    request.on('data', onData).on('end', settle).on('error', settle).on('close', onClose)
  })
}
