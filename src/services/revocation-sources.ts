import { parseIssuerWord, type IssuerWord } from '../core/verifier/revocation-list.ts'
import type { EndorsementPolicy, RevocationMode } from '../core/verifier/endorsement-policy.ts'
import type { RevocationSources } from '../core/x509/revocation.ts'
import type { Service, Settings } from './service.ts'

/** Words that were read before, by the digest of their bytes: they are read anew for each request, and seldom change. */
const known = new Map<string, IssuerWord>()
const knownLimit = 256

/** What issuers said, as the service keeps it now. It is verified once more where it is used. */
export async function loadRevocationSources(
  service: Pick<Service, 'store' | 'settings'>,
): Promise<RevocationSources> {
  const { revocation, revocationByVendor } = service.settings.endorsements
  const modes = [revocation, ...Object.values(revocationByVendor)]
  if (modes.every(mode => mode === 'off')) return { lists: [], responses: [] }
  const before = new Map(known)
  const rows = await service.store.revocationLists.current([...before.keys()])
  const words = rows.map(({ id, bytes }) => before.get(id) ?? remember(id, bytes))
  return {
    lists: words.flatMap(word => (word.kind === 'crl' ? word.list : [])),
    responses: words.flatMap(word => (word.kind === 'ocsp' ? word.response : [])),
  }
}

function remember(id: string, bytes: Uint8Array | null): IssuerWord {
  if (bytes === null) throw new TypeError('the store leaves out only what is known')
  const word = parseIssuerWord(bytes)
  const [oldest] = known.keys()
  if (known.size >= knownLimit && oldest !== undefined) known.delete(oldest)
  known.set(id, word)
  return word
}

const revocationModes = { required: 'require', 'when-available': 'record', off: 'off' } as const

/** What the configuration says of certificates of endorsement keys, in the words of the verifier. */
export function endorsementPolicyOf({ endorsements }: Settings): EndorsementPolicy {
  return {
    expired: endorsements.expired,
    revocation: revocationModes[endorsements.revocation],
    revocationByVendor: mapValues(endorsements.revocationByVendor, mode => revocationModes[mode]),
    revocationMaxAgeSeconds: endorsements.maxAgeSeconds,
  }
}

/** The same policy for whoever asks for no answer: what is revoked is refused, that nobody said anything is recorded. */
export function recordingPolicy(policy: EndorsementPolicy): EndorsementPolicy {
  const recording = (mode: RevocationMode): RevocationMode => (mode === 'require' ? 'record' : mode)
  const { revocation = 'record', revocationByVendor = {} } = policy
  return {
    ...policy,
    revocation: recording(revocation),
    revocationByVendor: mapValues(revocationByVendor, recording),
  }
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
