import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { Network } from '../../src/outbound/network.ts'

/** A host of a test on loopback. */
export interface PublishingHost {
  /** Leads every name to it, and lets loopback alone pass; counts names and connections. */
  readonly network: Network
  readonly resolved: string[]
  /** What was asked for: `host path`. */
  readonly asked: string[]
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Serves by path; what has no row is not found. */
export async function publish(
  t: ExecutionContext,
  answers: Readonly<Record<string, Answer | Uint8Array>>,
): Promise<PublishingHost> {
  const asked: string[] = []
  const resolved: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host ?? ''} ${request.url ?? ''}`)
    const answer = answers[request.url ?? '']
    if (answer instanceof Uint8Array) response.end(answer)
    else if (answer === undefined) response.writeHead(404).end('not here')
    else answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const network: Network = {
    resolve: async host => {
      resolved.push(host)
      return ['127.0.0.1']
    },
    isAllowed: address => address === '127.0.0.1',
    connect: ({ address }) => connect({ host: address, port }),
  }
  return { network, resolved, asked }
}
