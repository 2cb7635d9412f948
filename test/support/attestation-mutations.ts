import { TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import type { TpmsAttest } from '../../src/core/tpm/attest.ts'
import { qualifiedNameOf } from '../../src/core/tpm/public.ts'
import type { AnswerEdit } from '../../swtpm/emulated/answer.ts'
import type { AttestationEdit, EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { createEmulatedKey } from '../../swtpm/emulated/key.ts'
import { byteMutations, flipEach } from './byte-mutations.ts'

/** One way in which an answer departs from an honest one; everything else in it is as it should be. */
export interface Mutant {
  readonly name: string
  readonly edit: AnswerEdit
}

/** Answers whose quote or certification no TPM would give, signed by its attestation key nevertheless. */
export function attestationMutants(tpm: EmulatedTpm): Mutant[] {
  return [
    ...signedMutants('quote', tpm),
    ...signedMutants('certify', tpm),
    ...quoteMutants(),
    ...certifyMutants(tpm),
  ]
}

type Kind = 'quote' | 'certify'

const otherHashes = [
  TPM_ALG.SHA1,
  TPM_ALG.SHA384,
  TPM_ALG.SHA512,
  0x0012,
  0x0027,
  0x010b,
  0,
  0xffff,
]
const otherAlgorithms = [
  TPM_ALG.NULL,
  TPM_ALG.RSASSA,
  TPM_ALG.RSAPSS,
  TPM_ALG.ECDAA,
  0x0005,
  0xffff,
]

/** What can be wrong with a TPMS_ATTEST of any type: changed, then signed; and with its signature. */
function signedMutants(kind: Kind, tpm: EmulatedTpm): Mutant[] {
  const sample =
    kind === 'quote'
      ? tpm.quote([0], new Uint8Array(32))
      : tpm.certify(tpm.storageRoot, new Uint8Array(32))
  const resigned = byteMutations(sample.attest, [6, 42]).map(({ name, change }) =>
    mutant(kind, `signed, ${name}`, { bytes: change }),
  )
  const unsigned = byteMutations(sample.signature, [4, 38]).map(({ name, change }) =>
    mutant(kind, `signature ${name}`, { signature: change }),
  )
  return [...resigned, ...unsigned, ...headMutants(kind, tpm), ...algorithmMutants(kind)]
}

function mutant(kind: Kind, name: string, edit: AttestationEdit): Mutant {
  return { name: `${kind}: ${name}`, edit: { [kind]: edit } }
}

function headMutants(kind: Kind, tpm: EmulatedTpm): Mutant[] {
  const head = (name: string, change: (attest: TpmsAttest) => Partial<TpmsAttest>): Mutant =>
    mutant(kind, name, { attest: attest => ({ ...attest, ...change(attest) }) })
  const { name } = tpm.attestationKey
  const signers = (['owner', 'null', 'platform'] as const).map(hierarchy =>
    head(`signer below ${hierarchy}`, () => ({
      qualifiedSigner: qualifiedNameOf(hierarchy, name),
    })),
  )
  const magics = [0, 0xffff_ffff, 0x4743_54ff, 0xff54_4346].map(magic =>
    head(`magic ${magic.toString(16)}`, () => ({ magic })),
  )
  const nonces = flipEach(32).map(({ name: which, change }) =>
    head(`nonce with ${which}`, attest => ({ extraData: change(attest.extraData) })),
  )
  const tags = [0x8014, 0x8015, 0x8016, 0x8019, 0x801a, 0x801b, 0x801c, 0x0000].map(tag =>
    mutant(kind, `type ${tag.toString(16)}`, { bytes: bytes => withNumber(bytes, 4, tag) }),
  )
  const run = ['resetCount', 'restartCount'].map(counter =>
    head(`another ${counter}`, attest => ({ clockInfo: { ...attest.clockInfo, [counter]: 99 } })),
  )
  return [...signers, ...magics, ...nonces, ...tags, ...run]
}

function withNumber(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const changed = Buffer.from(bytes)
  changed.writeUInt16BE(value, offset)
  return changed
}

function algorithmMutants(kind: Kind): Mutant[] {
  const inSignature = (name: string, offset: number, value: number): Mutant =>
    mutant(kind, name, { signature: signature => withNumber(signature, offset, value) })
  return [
    ...otherAlgorithms.map(id => inSignature(`signature algorithm ${id.toString(16)}`, 0, id)),
    ...otherHashes.map(id => inSignature(`signature hash ${id.toString(16)}`, 2, id)),
  ]
}

function attestedMutant(kind: Kind, name: string, change: object): Mutant {
  const attest = (value: TpmsAttest): TpmsAttest => ({
    ...value,
    attested: { ...value.attested, ...change },
  })
  return mutant(kind, name, { attest })
}

function quoteMutants(): Mutant[] {
  const asked = [0, 1, 2, 3, 4, 5, 6, 7]
  const toggled = (pcr: number): number[] =>
    asked.includes(pcr)
      ? asked.filter(other => other !== pcr)
      : [...asked, pcr].toSorted((left, right) => left - right)
  const all = Array.from({ length: 24 }, (_, pcr) => pcr)
  const selections = all.map(pcr => {
    const pcrSelect = [{ hash: TPM_ALG.SHA256, pcrs: toggled(pcr) }]
    return attestedMutant('quote', `selection with PCR ${pcr} turned round`, { pcrSelect })
  })
  const banks = otherHashes.map(hash =>
    attestedMutant('quote', `bank ${hash.toString(16)}`, { pcrSelect: [{ hash, pcrs: asked }] }),
  )
  const quoted = all.map(pcr => ({
    name: `quote: really of PCRs with ${pcr} turned round`,
    edit: { quotedPcrs: toggled(pcr) },
  }))
  const digests = flipEach(32).map(({ name, change }) => {
    const bytes = (attest: Uint8Array): Uint8Array =>
      Buffer.concat([attest.subarray(0, -32), change(attest.subarray(-32))])
    return mutant('quote', `digest with ${name}`, { bytes })
  })
  return [...selections, ...banks, ...quoted, ...digests]
}

/** A TPMS_CERTIFY_INFO at the end: two Names of 34 bytes behind their sizes. */
function certifyMutants(tpm: EmulatedTpm): Mutant[] {
  const names = flipEach(34).flatMap(({ name, change }) =>
    [-36 - 34, -34].map((start, index) => {
      const bytes = (attest: Uint8Array): Uint8Array => {
        const end = attest.length + start + 34
        const changed = change(attest.subarray(end - 34, end))
        return Buffer.concat([attest.subarray(0, end - 34), changed, attest.subarray(end)])
      }
      return mutant('certify', `${['Name', 'Qualified Name'][index]} with ${name}`, { bytes })
    }),
  )
  const above = (['null', 'platform', 'endorsement'] as const).map(hierarchy => {
    const root = createEmulatedKey(tpm.storageRoot.area, hierarchy)
    const edit = { subject: tpm.createSubjectKey(undefined, root) }
    return { name: `certify: subject key below ${hierarchy}`, edit }
  })
  const primary = { subject: tpm.createSubjectKey(undefined, 'owner') }
  return [...names, ...above, { name: 'certify: subject key without parent', edit: primary }]
}
