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
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onData = (chunk: Buffer): void => {
    try {
      take(chunk)
    } catch (cause) {
      request.pause().off('data', onData)
      reject(cause as Error)
    }
  }
  const onClose = (): void => reject(new Error('the body broke off'))
  request.on('data', onData).once('end', resolve).once('error', reject).once('close', onClose)
  try {
    await promise
  } finally {
    request.off('data', onData).off('end', resolve).off('error', reject).off('close', onClose)
  }
}
