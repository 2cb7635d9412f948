import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError } from '../../src/core/bytes/format-error.ts'
import { parseAll } from '../../src/core/bytes/reader.ts'
import { encodeTpmsAttest, parseTpmsAttest, TPM_ST_ATTEST } from '../../src/core/tpm/attest.ts'
import { makeCredential } from '../../src/core/tpm/make-credential.ts'
import { nameOf, qualifiedNameOf } from '../../src/core/tpm/public.ts'
import { isSignedBy, parseTpmtSignature } from '../../src/core/tpm/signature.ts'
import { matchEndorsementTemplate } from '../../src/core/tpm/templates.ts'
import { verifyAttestationKey } from '../../src/core/verifier/attestation-key.ts'
import { CheckRecorder } from '../../src/core/verifier/check.ts'
import { EvidenceError } from '../../src/core/verifier/error.ts'
import { parsePublicArea } from '../../src/core/verifier/public-area.ts'
import { verifyQuote } from '../../src/core/verifier/quote.ts'
import { goAttestationFindings } from './go-attestation.ts'
import { parsePcrValues, unsized } from './tpm2-tools.ts'
import type { Finding, ManifestEntry, Verdict } from './vector.ts'

/** The files that tpm2-tools left of one quote, by the end of their names. */
interface ToolFiles {
  /** TPMT_PUBLIC. */
  readonly ek: Uint8Array
  readonly ak: Uint8Array
  readonly file: (suffix: string) => Uint8Array
}

/** Public areas, Names, protected credentials and quotes of real TPMs. */
export function check(entry: ManifestEntry, bytes: Uint8Array, folder: string): Finding[] {
  if (entry.verdict === 'suite') return []
  if (entry.file.endsWith('.json')) return goAttestationFindings(entry.file, entry.verdict, bytes)
  const [, stem = '', suffix = ''] =
    /^(.*?)-(ek-pub|ak-pub|ak-name|mkcred-out|quote\w*-out)\.bin$/.exec(entry.file) ?? []
  const test = tests[suffix]
  if (test === undefined) return []
  const file = (of: string): Uint8Array => readFileSync(join(folder, `${stem}-${of}.bin`))
  const files = { ek: unsized(file('ek-pub')), ak: unsized(file('ak-pub')), file }
  return test(files, bytes).map(([name, run]) => ({
    name: `${entry.file}${name}`,
    expected:
      name.endsWith('changed') || name.includes('here') ? 'refuse' : (entry.verdict as Verdict),
    ...judge(run),
  }))
}

/** What is tried with a file, by name; a name that says `changed` or `here` is of something to be refused. */
type Trial = readonly [name: string, run: () => boolean]

const tests: Readonly<Record<string, (files: ToolFiles, bytes: Uint8Array) => Trial[]>> = {
  'ek-pub': ({ ek }) => [['', () => matchEndorsementTemplate(parsePublicArea(ek))?.name === 'L-1']],
  'ak-pub': ({ ak }) => [['', () => verifyAttestationKey({ public: ak }).name.length === 34]],
  'ak-name': ({ ak }, bytes) => [
    ['', () => isSame(nameOf(ak), bytes)],
    [' of another key, changed', () => isSame(nameOf(flipLast(ak)), bytes)],
  ],
  'mkcred-out': (files, bytes) => [['', () => hasFormOfCredential(files, bytes)]],
  'quote-out': quoteTrials,
  'quotesig-out': quoteTrials,
  'quotepcr-out': quoteTrials,
}

function quoteTrials(files: ToolFiles): Trial[] {
  const [attest, signature] = ['quote-out', 'quotesig-out'].map(files.file) as [
    Uint8Array,
    Uint8Array,
  ]
  const values = files.file('quotepcr-out')
  return [
    ['', () => holds(files, attest, signature, values)],
    [', quote changed', () => holds(files, flipLast(attest), signature, values)],
    [', signature changed', () => holds(files, attest, flipLast(signature), values)],
    // The attestation key is a child of the endorsement key there, and a primary key is asked for here.
    [' at an enrolment here', () => isAnswer(files, attest, signature)],
  ]
}

/** Signature, signer, selection and values, each by the function that enrolment uses. */
function holds(
  { ek, ak }: ToolFiles,
  attest: Uint8Array,
  signature: Uint8Array,
  values: Uint8Array,
): boolean {
  const key = verifyAttestationKey({ public: ak })
  const parsed = parseTpmsAttest(attest)
  if (!isSame(encodeTpmsAttest(parsed), attest)) return false
  if (!isSignedBy(key.area, key.key, attest, parseTpmtSignature(signature))) return false
  const above = qualifiedNameOf('endorsement', nameOf(ek))
  if (!isSame(parsed.qualifiedSigner, qualifiedNameOf(above, key.name))) return false
  const { attested } = parsed
  if (attested.type !== TPM_ST_ATTEST.quote) return false
  const { selections, digests } = parsePcrValues(values)
  const digest = createHash(key.hash.name).update(Buffer.concat(digests)).digest()
  const isSelection = JSON.stringify(selections) === JSON.stringify(attested.pcrSelect)
  return isSelection && isSame(digest, attested.pcrDigest)
}

function isAnswer({ ak }: ToolFiles, attest: Uint8Array, signature: Uint8Array): boolean {
  const attestationKey = verifyAttestationKey({ public: ak })
  const evidence = { quote: { attest, signature }, pcrs: { sha256: {} } }
  const { extraData: binding } = parseTpmsAttest(attest)
  const expected = { attestationKey, binding, pcrSelection: { sha256: [15, 16, 22] } }
  return verifyQuote(new CheckRecorder(), evidence, expected).pcrs.size > 0
}

/** UINT32 magic, UINT32 version, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET: of the lengths that are made here too. */
function hasFormOfCredential({ ek, ak }: ToolFiles, bytes: Uint8Array): boolean {
  const [blob, secret] = parseAll(bytes, reader => {
    if (reader.u32() !== 0xbadc_c0de || reader.u32() !== 1) throw new FormatError('structure-value')
    return [reader.sized(), reader.sized()] as const
  })
  const identity = blob.length - 2 - 32 - 2
  const made = makeCredential(parsePublicArea(ek), nameOf(ak), randomBytes(identity), randomBytes)
  return made.credentialBlob.length === blob.length && made.encryptedSecret.length === secret.length
}

function judge(run: () => boolean): { found: Verdict; detail: string } {
  try {
    return run() ? { found: 'accept', detail: '' } : { found: 'refuse', detail: 'does not hold' }
  } catch (error) {
    if (error instanceof EvidenceError) return { found: 'refuse', detail: error.code }
    if (error instanceof FormatError) return { found: 'malformed', detail: error.code }
    throw error
  }
}

function flipLast(bytes: Uint8Array): Uint8Array {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1)
  return changed
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
