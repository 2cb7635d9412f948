import { HomeError } from '../attester/home-error.ts'
import type { Home } from '../attester/home.ts'
import { fingerprintOf } from '../attester/pinned-tls.ts'
import type { OutsideAuthority } from '../authority-files.ts'
import { ConfigError, type Config } from '../config.ts'
import { prepareOperatorKey, protectionNotes, type KeyRequest } from './operator-key.ts'
import type { Session } from './session.ts'

/** A service that was just made, and its first operator. */
export interface CreatedService {
  readonly issuer: string
  readonly trustDomain: string
  /** `sha256:` and hex: what hosts and operators pin. */
  readonly fingerprint: string
  readonly dataDirectory: string
  readonly home: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly assurance: readonly string[]
  /** Verifier key of the audit log, as the home has pinned it. */
  readonly logKey: string
  readonly operator: {
    readonly id: string
    readonly clientId: string
    readonly name: string
    readonly keyProtection: string
    readonly note: string
  }
}

/**
 * Makes a service and its first operator: authorities in the data directory, the operator's key as asked for, and in
 * the home what a client of the service knows.
 *
 * @throws ConfigError `config-exists`; HomeError `home-other-service`; of the key, its own
 */
export async function createService(
  session: Session,
  request: {
    readonly dataDirectory: string
    readonly config: Config
    readonly operatorName: string
    readonly key: KeyRequest
    readonly outside?: OutsideAuthority | undefined
  },
): Promise<CreatedService> {
  // The service with all its libraries is loaded by the two commands that are about it, and no other.
  const { isInitialised } = await import('../data-directory.ts')
  const { initialiseService } = await import('../main.ts')
  const { dataDirectory, config, operatorName, outside } = request
  if (isInitialised(dataDirectory)) throw new ConfigError('config-exists', { found: dataDirectory })
  const home = await session.openHome()
  await requireUnused(home, config)
  const { key, reference } = await prepareOperatorKey(session, home, request.key)
  session.progress.step('making the authorities')
  const made = await initialiseService({
    dataDirectory,
    config,
    outside,
    passphrase: session.environment.keyPassphrase,
    operator: {
      name: operatorName,
      role: 'administrator',
      keyProtection: key.protection,
      jwk: key.jwk,
    },
  })
  const { issuer, root, logKey, operatorId: id, clientId } = made
  await home.saveService({ issuer, root, logKey })
  await home.saveOperator({ id, clientId, key: reference })
  return {
    issuer,
    trustDomain: config.trustDomain,
    fingerprint: fingerprintOf(root),
    dataDirectory,
    home: home.directory,
    listen: config.listen,
    assurance: config.attestation.assurance,
    logKey,
    operator: {
      id,
      clientId,
      name: operatorName,
      keyProtection: key.protection,
      note: protectionNotes[key.protection],
    },
  }
}

/** Before anything is made: the new service will have a root of its own, which no home knows yet. */
async function requireUnused(home: Home, { issuer }: Config): Promise<void> {
  const known = await home.findService()
  if (known === undefined) return
  throw new HomeError('home-other-service', {
    expected: `${known.issuer} ${fingerprintOf(known.root)}`,
    found: `a new service ${issuer}`,
  })
}
