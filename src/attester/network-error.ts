import { CodedError } from '../core/coded-error.ts'
import { ClientError, type ClientErrorCode } from './client-error.ts'

/** What a failed connection means, by the code that Node gives; any other is a server that is not there. */
const meanings: readonly { readonly pattern: RegExp; readonly code: ClientErrorCode }[] = [
  { pattern: /^ERR_TLS_CERT_ALTNAME/, code: 'service-name' },
  { pattern: /^(ERR_SSL_|EPROTO|ERR_TLS_)/, code: 'service-tls' },
  {
    pattern: /CERT|LEAF_SIGNATURE|CRL|INVALID_(CA|PURPOSE)|PATH_LENGTH/,
    code: 'service-untrusted',
  },
  { pattern: /^(ETIMEDOUT|ABORT_ERR)/, code: 'service-slow' },
  { pattern: /^HPE_/, code: 'service-answer' },
]

/** A failure of socket, handshake or transfer as a coded error. */
export function networkError(cause: unknown, issuer: URL): CodedError {
  if (cause instanceof CodedError) return cause
  const { code, message } = cause as Partial<NodeJS.ErrnoException>
  const label = code ?? ''
  const row = meanings.find(({ pattern }) => pattern.test(label))
  return new ClientError(row?.code ?? 'service-unreachable', {
    expected: issuer.origin,
    found: reasonOf(label, message ?? ''),
    cause,
  })
}

function reasonOf(label: string, message: string): string {
  const [reason = ''] = message.split('\n')
  return (reason || label || 'no connection').slice(0, 200)
}
