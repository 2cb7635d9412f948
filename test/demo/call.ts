import { request } from 'node:https'
import type { ProtectedApi } from './protected-api.ts'

/** What the API said. */
export interface ApiAnswer {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly body: string
}

/** Calls the API with a token and, where there is one, a proof. */
export async function callApi(
  api: ProtectedApi,
  token: string,
  proof: string | undefined,
): Promise<ApiAnswer> {
  const headers = {
    Authorization: `DPoP ${token}`,
    ...(proof === undefined ? {} : { DPoP: proof }),
  }
  return await new Promise((resolve, reject) => {
    const call = request(`${api.url}/orders`, { ca: api.authority, headers }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve(readAnswer(response.statusCode ?? 0, body)))
    })
    call.on('error', reject)
    call.end()
  })
}

function readAnswer(status: number, body: string): ApiAnswer {
  const { code = '', title = '' } = JSON.parse(body) as { code?: string; title?: string }
  return { status, code, title, body }
}
