import { createHash } from 'node:crypto'
import test from 'ava'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPM_ST_ATTEST, type Attested, type TpmsAttest } from '../../../src/core/tpm/attest.ts'
import { qualifiedNameOf } from '../../../src/core/tpm/public.ts'
import { verifyAttestationKey } from '../../../src/core/verifier/attestation-key.ts'
import { CheckRecorder } from '../../../src/core/verifier/check.ts'
import {
  verifyQuote,
  type QuoteEvidence,
  type VerifiedQuote,
} from '../../../src/core/verifier/quote.ts'
import type { AttestationEdit, EmulatedTpm } from '../../../swtpm/emulated/emulated-tpm.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'
import { createTestTpm } from '../../support/emulated-tpm.ts'
import { octets, rsaArea } from '../tpm/structures.ts'
import { now, refusalOf } from './fixtures.ts'

const { tpm } = createTestTpm(now)
for (const pcr of [0, 1, 2, 7]) tpm.extend(pcr, octets(`event ${pcr}`, 32))
const attestationKey = verifyAttestationKey(tpm.attestationKey)
const binding = octets('binding', 32)
const asked = [0, 1, 2, 7]

function quoteOf(of: EmulatedTpm, edit?: AttestationEdit, pcrs = asked): QuoteEvidence {
  return { quote: of.quote(pcrs, binding, edit), pcrs: { sha256: valuesOf(of, pcrs) } }
}

function valuesOf(of: EmulatedTpm, pcrs: readonly number[]): Record<string, string> {
  const hex = (pcr: number): string => Buffer.from(of.pcrs.get(pcr) ?? []).toString('hex')
  return Object.fromEntries(pcrs.map(pcr => [String(pcr), hex(pcr)]))
}

function verify(evidence: QuoteEvidence, pcrs = asked): VerifiedQuote {
  const expected = { attestationKey, binding, pcrSelection: { sha256: pcrs } }
  return verifyQuote(new CheckRecorder(), evidence, expected)
}

function refusal(edit: AttestationEdit, pcrs = asked): string {
  return refusalOf(() => verify(quoteOf(tpm, edit), pcrs))
}

/** How a quote is refused whose attested part is changed before it is signed. */
function refusalOfAttested(change: Partial<Extract<Attested, { pcrDigest: Uint8Array }>>): string {
  const attest = (attested: TpmsAttest): TpmsAttest => ({
    ...attested,
    attested: { ...attested.attested, ...change } as Attested,
  })
  return refusal({ attest })
}

function refusalOfValues(values: Readonly<Record<string, string>>): string {
  return refusalOf(() => verify({ ...quoteOf(tpm), pcrs: { sha256: values } }))
}

test('a quote gives the values that the TPM signed, and the clock and firmware at that moment', t => {
  const { pcrs, facts } = verify(quoteOf(tpm))
  t.deepEqual([...pcrs.keys()], asked)
  for (const [pcr, value] of pcrs)
    t.deepEqual(Buffer.from(value), Buffer.from(tpm.pcrs.get(pcr) ?? []))
  t.deepEqual(facts.clockInfo, tpm.clockInfo)
  t.is(facts.firmwareVersion, tpm.firmwareVersion)
})

test('its verdict has a line for each rule, in the order in which they were held', t => {
  const checks = new CheckRecorder()
  const expected = { attestationKey, binding, pcrSelection: { sha256: asked } }
  verifyQuote(checks, quoteOf(tpm), expected)
  t.deepEqual(
    checks.list.map(({ code }) => code),
    [
      'quote-malformed',
      'quote-signature',
      'quote-magic',
      'quote-type',
      'quote-signer',
      'quote-nonce',
      'quote-selection',
      'quote-pcr-values',
      'quote-pcr-digest',
    ],
  )
})

test('Q1 a quote that does not begin as the TPM begins is refused', t => {
  t.is(refusal({ attest: attest => ({ ...attest, magic: 0xff54_4348 }) }), 'quote-magic')
})

test('Q1 an attestation of another type is refused, one of NV with the form of a quote too', t => {
  const certification: Attested = {
    type: TPM_ST_ATTEST.certify,
    name: octets('name', 34),
    qualifiedName: octets('qualified', 34),
  }
  t.is(refusal({ attest: attest => ({ ...attest, attested: certification }) }), 'quote-type')
  const relabelled = (bytes: Uint8Array): Uint8Array => {
    const changed = Buffer.from(bytes)
    changed.writeUInt16BE(0x8014, 4)
    return changed
  }
  t.is(refusal({ bytes: relabelled }), 'quote-type')
})

test('Q1 P1 P2 a byte more or less makes it malformed', t => {
  t.is(refusal({ bytes: bytes => Buffer.concat([bytes, Uint8Array.of(0)]) }), 'quote-malformed')
  t.is(refusal({ bytes: bytes => bytes.subarray(0, -1) }), 'quote-malformed')
})

test('Q2 a quote for another challenge, or for none, is refused', t => {
  const other = (extraData: Uint8Array): string =>
    refusal({ attest: attest => ({ ...attest, extraData }) })
  t.is(other(octets('other', 32)), 'quote-nonce')
  t.is(other(new Uint8Array()), 'quote-nonce')
  t.is(other(binding.subarray(0, 31)), 'quote-nonce')
  t.is(other(Buffer.concat([binding, Uint8Array.of(0)])), 'quote-nonce')
})

test('Q3 a quote of other PCRs than were asked for is refused: one more, one less, another', t => {
  for (const pcrs of [[0, 1, 2], [0, 1, 2, 7, 8], [0, 1, 2, 8], [16], []]) {
    t.is(
      refusalOf(() => verify(quoteOf(tpm, {}, pcrs))),
      'quote-selection',
    )
    t.is(
      refusalOf(() => verify(quoteOf(tpm), pcrs)),
      'quote-selection',
    )
  }
})

test('Q3 a quote of PCR 16 whose values are presented as those of PCR 10 is refused', t => {
  tpm.extend(16, octets('anything', 32))
  const values = { '10': Buffer.from(tpm.pcrs.get(16) ?? []).toString('hex') }
  const evidence = { quote: tpm.quote([16], binding), pcrs: { sha256: values } }
  t.is(
    refusalOf(() => verify(evidence, [10])),
    'quote-selection',
  )
})

test('Q3 a selection with the same bank twice, or with no bank, is refused', t => {
  const bank = { hash: TPM_ALG.SHA256, pcrs: asked }
  t.is(refusalOfAttested({ pcrSelect: [bank, bank] }), 'quote-malformed')
  t.is(refusalOfAttested({ pcrSelect: [] }), 'quote-selection')
})

test('Q3 the same PCRs in a selection of another length are the same PCRs', t => {
  // count, hash, sizeofSelect: 3 octets become 1, 2 and 4.
  for (const size of [1, 2, 4]) {
    const resized = (bytes: Uint8Array): Uint8Array => {
      const at = Buffer.from(bytes).indexOf(Buffer.from('000b03870000', 'hex'))
      const bits = Buffer.concat([Uint8Array.of(0x87), new Uint8Array(size - 1)])
      const head = bytes.subarray(0, at + 2)
      return Buffer.concat([head, Uint8Array.of(size), bits, bytes.subarray(at + 6)])
    }
    t.is(refusal({ bytes: resized }), 'accepted')
  }
})

test('Q4 another bank is refused, beside the one asked for or in its place', t => {
  const other = (hash: number): string => refusalOfAttested({ pcrSelect: [{ hash, pcrs: asked }] })
  for (const hash of [TPM_ALG.SHA1, TPM_ALG.SHA384, 0x0012, 0x010b, 0x0104])
    t.is(other(hash), 'quote-selection')
  const both = [TPM_ALG.SHA1, TPM_ALG.SHA256].map(hash => ({ hash, pcrs: asked }))
  t.is(refusalOfAttested({ pcrSelect: both }), 'quote-selection')
})

test('Q5 values that the TPM did not sign are refused', t => {
  t.is(refusalOfAttested({ pcrDigest: octets('digest', 32) }), 'quote-pcr-digest')
  t.is(refusalOfAttested({ pcrDigest: new Uint8Array() }), 'quote-pcr-digest')
  const values = valuesOf(tpm, asked)
  t.is(refusalOfValues({ ...values, '7': '00'.repeat(32) }), 'quote-pcr-digest')
  t.is(
    refusalOfValues({ ...values, '0': values['1'] ?? '', '1': values['0'] ?? '' }),
    'quote-pcr-digest',
  )
})

test('Q5 the digest is made with the hash of the signature, whatever the bank', t => {
  const scheme = { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA384 }
  const other = createTestTpm(now, { editAttestationKey: area => ({ ...area, scheme }) }).tpm
  const expected = {
    attestationKey: verifyAttestationKey(other.attestationKey),
    binding,
    pcrSelection: { sha256: asked },
  }
  const run = (edit: AttestationEdit) => () =>
    verifyQuote(new CheckRecorder(), quoteOf(other, edit), expected)
  t.is(refusalOf(run({})), 'accepted')
  const pcrDigest = createHash('sha256').update(Buffer.alloc(128)).digest()
  const attest = (value: TpmsAttest): TpmsAttest => ({
    ...value,
    attested: { ...value.attested, pcrDigest } as Attested,
  })
  t.is(refusalOf(run({ attest })), 'quote-pcr-digest')
})

test('Q6 a value too few, too many, too short, too long or no value is refused', t => {
  const values = valuesOf(tpm, asked)
  const { '7': _seven, ...fewer } = values
  const wrong = [
    {},
    fewer,
    { ...values, '8': '00'.repeat(32) },
    { ...fewer, '07': values['7'] ?? '' },
    { ...fewer, '2,7': values['7'] ?? '' },
    { ...values, '7': '00'.repeat(20) },
    { ...values, '7': '00'.repeat(33) },
    { ...values, '7': '' },
    { ...values, '7': 'zz'.repeat(32) },
    { ...values, '7': 'AA'.repeat(32) },
  ]
  for (const changed of wrong) t.is(refusalOfValues(changed), 'quote-pcr-values')
  // Names that together look like the selection, with the values elsewhere.
  t.is(refusalOfValues({ '0,1': '00'.repeat(32), '2,7': '00'.repeat(32) }), 'quote-pcr-values')
})

test('F7 Q7 a quote by another key or by one outside the endorsement hierarchy is refused', t => {
  const signer = createEmulatedKey(tpm.attestationKey.area, 'endorsement')
  t.is(refusal({ signer }), 'quote-signature')
  for (const hierarchy of ['owner', 'null', 'platform'] as const) {
    const qualifiedSigner = qualifiedNameOf(hierarchy, attestationKey.name)
    t.is(refusal({ attest: attest => ({ ...attest, qualifiedSigner }) }), 'quote-signer')
  }
})

test('Q10 P5 a signature of another algorithm or hash than the key has is refused', t => {
  const rsa = createEmulatedKey({ ...rsaArea, authPolicy: new Uint8Array() }, 'endorsement')
  t.is(refusal({ signer: rsa }), 'quote-signature')
  const weakHash = (signature: Uint8Array): Uint8Array => {
    const changed = Buffer.from(signature)
    changed.writeUInt16BE(TPM_ALG.SHA1, 2)
    return changed
  }
  t.is(refusal({ signature: weakHash }), 'quote-signature')
  t.is(refusal({ signature: () => Buffer.from('0010', 'hex') }), 'quote-malformed')
})
