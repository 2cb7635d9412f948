import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { exportJwk, thumbprint } from '../../src/core/jose/jwk.ts'
import { encodeHeader, signJws } from '../../src/core/jose/jws.ts'
import { encodeStatusList } from '../../src/core/status/status-list.ts'
import { tokenAlgorithm } from '../../src/core/token/access-token.ts'
import { ResourceError } from '../../src/resource/error.ts'
import type { FetchDocument } from '../../src/resource/issuer-document.ts'
import { createVerifier, type VerifierOptions } from '../../src/resource/verifier.ts'
import type { ResourceRequest } from '../../src/resource/verify-request.ts'

export const issuer = 'https://assay.example'
export const audience = 'https://orders.example'
export const now = 1_800_000_000_000
const algorithm = tokenAlgorithm('ES256')

/** An issuer as a relying party sees it: documents by URL, which a test can change or take away. */
export function createIssuer() {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const state = {
    kid: 'one',
    pair,
    revoked: [] as number[],
    isDown: false,
    fetched: [] as string[],
    documents: {} as Record<string, string | undefined>,
  }
  const listUri = `${issuer}/status-lists/1`
  const fetchDocument: FetchDocument = async url => {
    state.fetched.push(url)
    const document = state.isDown ? undefined : (state.documents[url] ?? usual(url))
    if (document === undefined) throw new ResourceError('issuer-unreachable', { found: url })
    return await Promise.resolve(document)
  }
  const usual = (url: string): string | undefined => {
    if (url === `${issuer}/.well-known/oauth-authorization-server`)
      return JSON.stringify({ issuer, jwks_uri: `${issuer}/oauth/jwks` })
    if (url === `${issuer}/oauth/jwks`)
      return JSON.stringify({
        keys: [{ kty: 'OKP' }, null, { ...exportJwk(state.pair.publicKey), kid: state.kid }],
      })
    return url === listUri ? statusListToken() : undefined
  }
  const statusListToken = (): string =>
    signJws(
      encodeHeader({ alg: 'ES256', kid: state.kid, typ: 'statuslist+jwt' }),
      {
        sub: listUri,
        iat: now / 1000,
        exp: now / 1000 + 3600,
        ttl: 600,
        status_list: encodeStatusList(64, state.revoked),
      },
      state.pair.privateKey,
      algorithm,
    )
  const token = (cnf: object, changes: object = {}): string =>
    signJws(
      encodeHeader({ alg: 'ES256', kid: state.kid, typ: 'at+jwt' }),
      {
        iss: issuer,
        sub: 'spiffe://assay.example/agent/orders/1',
        aud: audience,
        client_id: 'spiffe://assay.example/agent/orders/1',
        iat: now / 1000,
        exp: now / 1000 + 300,
        jti: randomUUID(),
        scope: 'orders:read orders:write',
        cnf,
        assay: { kind: 'agent', assurance: 'tpm-firmware' },
        status: { status_list: { idx: 5, uri: listUri } },
        ...changes,
      },
      state.pair.privateKey,
      algorithm,
    )
  return { state, fetchDocument, token, listUri }
}

/** A client with a key of its own. */
export function createCaller() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = exportJwk(publicKey)
  const request = (token: string, claims: object = {}): ResourceRequest => ({
    method: 'GET',
    url: `${audience}/orders?page=2`,
    headers: {
      authorization: `DPoP ${token}`,
      dpop: signJws(
        encodeHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk }),
        {
          jti: randomUUID(),
          htm: 'GET',
          htu: `${audience}/orders`,
          iat: now / 1000,
          ath: createHash('sha256').update(token).digest('base64url'),
          ...claims,
        },
        privateKey,
        algorithm,
      ),
    },
  })
  return { jkt: thumbprint(jwk), request }
}

/** A relying party of an issuer, with a caller of its own and a clock to move. */
export function setUp(options: Partial<VerifierOptions> = {}) {
  const trusted = createIssuer()
  const caller = createCaller()
  const clock = { now }
  const verifier = createVerifier({
    issuer,
    audience,
    fetchDocument: trusted.fetchDocument,
    now: () => clock.now,
    ...options,
  })
  const token = (changes?: object): string => trusted.token({ jkt: caller.jkt }, changes)
  return { ...trusted, caller, verifier, clock, tokenFor: token }
}
