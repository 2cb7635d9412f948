import type { ThrowawaySigners } from './core/issuance/assembly.ts'
import type { DataDirectory } from './data-directory.ts'
import { createFileAuthorityKeys } from './hsm/authority-keys.ts'
import { AuthoritySigners } from './hsm/authority-signers.ts'
import { createTokenPlace } from './hsm/issuing-key-place.ts'
import { followPlaces } from './hsm/pkcs11-place.ts'
import { isInToken, withTokenKeys } from './hsm/token-authority-keys.ts'
import type { AuthorityKeys, AuthorityRecord } from './ports/authority.ts'
import type { WatchedSigner } from './ports/signer.ts'
import type { TokenKeyPlaces } from './ports/token-key.ts'
import { createTokenKeyPlaces } from './token-key-places.ts'
import { loadAuthorityProfiles } from './shipped-tables.ts'
import { roleOfKey } from './services/signer-watch.ts'

/** What the signers of a service are given, and what they tell whoever runs it. */
export interface SignerEvents {
  /** Signs the copies of authorities' certificates that lints read. */
  readonly throwaway: ThrowawaySigners
  /** A signer went down or came back. */
  readonly onChange: (signer: WatchedSigner) => void
  /** A signer that cannot be opened, since key or configuration are wrong. */
  readonly onMistake: (cause: unknown) => void
  /** Signers that are open already. */
  readonly further: readonly WatchedSigner[]
  /** The authorities as they are known at the moment. */
  readonly records: () => readonly AuthorityRecord[]
}

/** The keys of a service that are in hardware, and where those of its authorities are made. */
export interface ServiceSigners {
  /** Every signer that can go down; it grows with the authorities. */
  readonly list: readonly WatchedSigner[]
  readonly authorityKeys: AuthorityKeys
  /** Where the keys that sign tokens are. */
  readonly tokenKeyPlaces: TokenKeyPlaces
  /** Opens the signer of the authority that issues: with a key that must not be used a service does not start. */
  start(): Promise<void>
}

/**
 * Opens the signers that the configuration names.
 */
export function openServiceSigners(data: DataDirectory, events: SignerEvents): ServiceSigners {
  const { keys } = data.config
  const list: WatchedSigner[] = [...events.further]
  const how = { deadlineMs: keys.deadlineMs, sessions: keys.sessions, onChange: events.onChange }
  const uriOf = createUriOf(data)
  const signers = new AuthoritySigners({
    ...how,
    list,
    uriOf,
    onMistake: events.onMistake,
    roleOf: publicKey => roleOfKey(events.records(), publicKey),
  })
  return {
    list,
    authorityKeys: withTokenKeys(createDiskKeys(data, events.throwaway), signers, uriOf),
    tokenKeyPlaces: createTokenKeyPlaces(data, list, events.onChange),
    start: async () => {
      const active = events.records().find(({ state }) => state === 'active')
      if (active !== undefined && isInToken(active)) await signers.watch(active)
    },
  }
}

function createDiskKeys(
  { config, authorityKeyFiles }: DataDirectory,
  throwaway: ThrowawaySigners,
): AuthorityKeys {
  const { issuing, standby } = config.keys
  return createFileAuthorityKeys({
    files: authorityKeyFiles,
    issuance: { profiles: loadAuthorityProfiles(), throwaway },
    trustDomain: config.trustDomain,
    rootLifetimeSeconds: config.authority.rootDays * 86_400,
    issuingLifetimeSeconds: config.authority.issuingDays * 86_400,
    places: {
      // A key that is to live in hardware is not followed by one on the disk.
      ...(issuing === 'embedded' ? {} : { issuing: createTokenPlace(issuing) }),
      ...(standby === undefined ? {} : { standby: createTokenPlace(standby) }),
    },
  })
}

/** The first authority's key goes by the URI of the configuration, whatever words it had before. */
function createUriOf({ config: { keys }, chain: [first] }: DataDirectory) {
  const places = [keys.issuing, keys.standby].filter(place => place?.startsWith('pkcs11:') === true)
  return ({ chain: [issuing], keyReference }: Pick<AuthorityRecord, 'chain' | 'keyReference'>) => {
    const isFirst = Buffer.compare(issuing ?? Buffer.of(), first ?? Buffer.of()) === 0
    if (isFirst && keys.issuing !== 'embedded') return keys.issuing
    return followPlaces(
      keyReference,
      places.filter(place => place !== undefined),
    )
  }
}
