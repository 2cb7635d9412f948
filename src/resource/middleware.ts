import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { AccessTokenClaims } from '../core/token/access-token.ts'
import { refusalOf } from './refusal.ts'
import type { ResourceVerifier } from './verifier.ts'

/** What the middleware uses of a Koa context: no import of Koa stands behind it. */
export interface ProtectedContext {
  readonly req: IncomingMessage
  readonly path: string
  status: number
  body: unknown
  readonly state: { assay?: AccessTokenClaims; [name: string]: unknown }
  set(fields: Record<string, string>): void
}

/**
 * A Koa middleware that lets in who {@link ResourceVerifier.verify} lets in: the claims are in `ctx.state.assay`.
 * Everybody else gets problem details and the challenge that the RFCs ask for. The URL of a request is the verifier's
 * audience and the path of the request, so that no header of a proxy decides what a proof was made for.
 *
 * @param demands scopes that the token must carry, all of them
 */
export function protect(
  verifier: ResourceVerifier,
  demands: { readonly scopes?: readonly string[] } = {},
): (ctx: ProtectedContext, next: () => Promise<unknown>) => Promise<void> {
  const { origin } = new URL(verifier.options.audience)
  return async (ctx, next) => {
    try {
      ctx.state.assay = await verifier.verify(requestOf(ctx, origin), demands)
    } catch (error) {
      const refusal = refusalOf(error, verifier.nonce())
      if (refusal === undefined) throw error
      ctx.status = refusal.status
      ctx.body = JSON.stringify(refusal.body)
      ctx.set(refusal.headers)
      return
    }
    const nonce = verifier.nonce()
    if (nonce !== undefined) ctx.set({ 'DPoP-Nonce': nonce })
    await next()
  }
}

function requestOf({ req, path }: ProtectedContext, origin: string) {
  const certificate = certificateOf(req)
  return {
    method: req.method ?? '',
    url: `${origin}${path}`,
    headers: { authorization: only(req, 'authorization'), dpop: only(req, 'dpop') },
    ...(certificate === undefined ? {} : { clientCertificate: certificate }),
  }
}

/** Every occurrence of a header: Node's own table of headers keeps the first `Authorization` and drops the second. */
function only(req: IncomingMessage, name: string): readonly string[] | undefined {
  return req.headersDistinct[name]
}

function certificateOf({ socket }: IncomingMessage): Uint8Array | undefined {
  const { getPeerX509Certificate } = socket as Partial<TLSSocket>
  const certificate = getPeerX509Certificate?.call(socket as TLSSocket)
  return certificate === undefined ? undefined : new Uint8Array(certificate.raw)
}
