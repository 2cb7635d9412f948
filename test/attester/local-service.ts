import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  createIssuing,
  createRoot,
  issuingAlgorithm,
  rootAlgorithm,
} from '../../src/core/issuance/ceremony.ts'
import { createServiceCertificate } from '../../src/core/issuance/service-certificate.ts'
import { createEmbeddedSigner, embeddedCrypto, exportPkcs8 } from '../../src/hsm/embedded-key.ts'
import * as asn1 from '../../src/core/der/writer.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { buildCertificate, ecdsaSha256 } from '../support/certificate-builder.ts'
import { testAuthorityIssuance, testIssuance } from '../support/test-issuance.ts'
import { encodePem } from '../../src/attester/pem.ts'
import { fingerprintOf } from '../../src/attester/pinned-tls.ts'

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What the test answers. */
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface LocalServiceOptions {
  readonly answer?: (request: SeenRequest) => Answer
  /** DNS names of the certificate. */
  readonly names?: readonly string[]
  readonly spiffeId?: string
  readonly notAfter?: number
  /** Whether the server shows the root in its chain. */
  readonly withRoot?: boolean
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** A TLS server under an authority made as `assay init` makes one. */
export interface LocalService {
  readonly issuer: string
  readonly root: Uint8Array
  readonly fingerprint: string
  readonly seen: SeenRequest[]
  /** Connections that were made. */
  readonly connections: () => number
  stop(): Promise<void>
}

/** Root and issuing authority, DER, and the issuing key. */
export async function createAuthority(): Promise<{
  root: Uint8Array
  issuing: Uint8Array
  issuingKey: string
}> {
  const { subtle } = embeddedCrypto
  const issuance = testAuthorityIssuance
  const shared = { crypto: embeddedCrypto, issuance, trustDomain: 'test.example', now: new Date() }
  const rootKeys = await subtle.generateKey(rootAlgorithm, true, ['sign', 'verify'])
  const root = await createRoot({ ...shared, serial: randomBytes(16), keys: rootKeys })
  const keys = await subtle.generateKey(issuingAlgorithm, true, ['sign', 'verify'])
  const issuing = await createIssuing({ ...shared, serial: randomBytes(16), keys }, root)
  return {
    root: new Uint8Array(root.certificate.rawData),
    issuing: new Uint8Array(issuing.certificate.rawData),
    issuingKey: await exportPkcs8(keys.privateKey),
  }
}

/** Starts a server of TLS on a free port of this machine. */
export async function startLocalService(options: LocalServiceOptions = {}): Promise<LocalService> {
  const { root, issuing, issuingKey } = await createAuthority()
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = createEmbeddedSigner(issuingKey)
  if (signer.algorithm === 'Ed25519') throw new TypeError('an authority signs with ECDSA')
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const certificate = await createServiceCertificate(
    {
      profile: testIssuance.profiles.service,
      throwaway: testIssuance.throwaway,
      issuer: issuing,
      spki,
      spiffeId: 'spiffe://test.example/service/assay',
      names: options.names ?? ['localhost'],
      serial: randomBytes(16),
      notBefore: Math.min(Date.now(), (options.notAfter ?? Infinity) - 60_000),
      notAfter: options.notAfter ?? Date.now() + 3_600_000,
    },
    { algorithm: signer.algorithm, sign: message => signer.sign(message) },
  )
  const forged =
    options.spiffeId === undefined ? [] : [forge(options.spiffeId, issuing, spki, issuingKey)]
  const [leaf = certificate] = forged
  const chain = [leaf, issuing, ...(options.withRoot === false ? [] : [root])]
  const seen: SeenRequest[] = []
  let connections = 0
  const maxVersion = options.maxVersion ?? 'TLSv1.3'
  const server = createServer(
    {
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: chain.map(der => encodePem('CERTIFICATE', der)).join(''),
      minVersion: maxVersion,
      maxVersion,
    },
    (request, response) => void serve(request, response, seen, options.answer),
  )
  server.on('connection', () => (connections += 1))
  server.on('tlsClientError', () => undefined)
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  return {
    issuer: `https://localhost:${(server.address() as AddressInfo).port}`,
    root,
    fingerprint: fingerprintOf(root),
    seen,
    connections: () => connections,
    stop: async () => {
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** A certificate with this text as its SPIFFE ID, which our own issuer would not sign. */
function forge(uri: string, issuing: Uint8Array, spki: Uint8Array, key: string): Uint8Array {
  const names = [
    asn1.implicitPrimitive(2, Buffer.from('localhost')),
    asn1.implicitPrimitive(6, Buffer.from(uri)),
  ]
  return buildCertificate(
    {
      version: asn1.contextConstructed(0, asn1.smallInteger(2)),
      serial: asn1.unsignedInteger(randomBytes(16).fill(0x41, 0, 1)),
      innerAlgorithm: ecdsaSha256,
      outerAlgorithm: ecdsaSha256,
      issuer: parseCertificate(issuing).fields.subject.encoded,
      notBefore: asn1.certificateTime(Date.now() - 60_000),
      notAfter: asn1.certificateTime(Date.now() + 3_600_000),
      subject: asn1.sequence(),
      spki,
      extensions: [{ id: '2.5.29.17', critical: true, value: asn1.sequence(...names) }],
    },
    createPrivateKey(key),
  )
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  seen: SeenRequest[],
  answer: LocalServiceOptions['answer'],
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const { method = '', url = '', headers } = request
  const arrived = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
  seen.push(arrived)
  const { status = 200, headers: extra = {}, body = {} } = answer?.(arrived) ?? {}
  response.writeHead(status, extra)
  response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body))
}
