import { sized, u16, u32, u64, u8 } from '../bytes/encode.ts'
import { FormatError } from '../bytes/format-error.ts'
import { parseAll, type Reader } from '../bytes/reader.ts'
import { encodePcrSelections, readPcrSelections, type PcrSelection } from './pcr-selection.ts'

/** "\xFFTCG": stands before everything that a TPM made itself (TPM 2.0 Part 2 r01.59 §6.2). */
export const TPM_GENERATED_VALUE = 0xff54_4347

/** Structure tags of attestations (TPM 2.0 Part 2 r01.59 §6.9 TPM_ST). */
export const TPM_ST_ATTEST = {
  certify: 0x8017,
  quote: 0x8018,
  time: 0x8019,
  creation: 0x801a,
} as const

/** TPMS_CLOCK_INFO (TPM 2.0 Part 2 r01.59 §10.11.1). */
export interface ClockInfo {
  /** Milliseconds of operation since the last clear. */
  readonly clock: bigint
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: boolean
}

/** What an attestation says beyond its head. Of types that Assay does not use, nothing is read; `body` is kept. */
export type Attested =
  | {
      readonly type: typeof TPM_ST_ATTEST.certify
      readonly name: Uint8Array
      readonly qualifiedName: Uint8Array
    }
  | {
      readonly type: typeof TPM_ST_ATTEST.quote
      readonly pcrSelect: readonly PcrSelection[]
      readonly pcrDigest: Uint8Array
    }
  | {
      readonly type: typeof TPM_ST_ATTEST.creation
      readonly objectName: Uint8Array
      readonly creationHash: Uint8Array
    }
  | { readonly type: 'other'; readonly tag: number; readonly body: Uint8Array }

/** Untrusted until its signature, magic, type and extraData were checked. */
export interface TpmsAttest {
  readonly magic: number
  readonly qualifiedSigner: Uint8Array
  readonly extraData: Uint8Array
  readonly clockInfo: ClockInfo
  /** Obfuscated unless the signer stands in the endorsement or platform hierarchy. */
  readonly firmwareVersion: bigint
  readonly attested: Attested
}

/** Types of attestations whose members are read. */
export type AttestType = (typeof TPM_ST_ATTEST)['certify' | 'quote' | 'creation']

/** A TPMS_ATTEST of one type. */
export type AttestOf<T extends AttestType> = TpmsAttest & {
  readonly attested: Extract<Attested, { readonly type: T }>
}

/** Whether an attestation is of a type. */
export function isAttestOf<T extends AttestType>(
  attest: TpmsAttest,
  type: T,
): attest is AttestOf<T> {
  return attest.attested.type === type
}

/**
 *     TPMS_ATTEST { magic UINT32, type UINT16, qualifiedSigner TPM2B_NAME, extraData TPM2B_DATA,
 *                   clockInfo TPMS_CLOCK_INFO, firmwareVersion UINT64, attested TPMU_ATTEST }
 *
 * @throws FormatError `structure-short`, `structure-trailing`, `structure-value`
 * @see TPM 2.0 Part 2 r01.59 §10.12.12 TPMS_ATTEST
 */
export function parseTpmsAttest(bytes: Uint8Array): TpmsAttest {
  return parseAll(bytes, reader => {
    const magic = reader.u32()
    const tag = reader.u16()
    const qualifiedSigner = reader.sized(66)
    const extraData = reader.sized(66)
    const clockInfo = readClockInfo(reader)
    const firmwareVersion = reader.u64()
    return {
      magic,
      qualifiedSigner,
      extraData,
      clockInfo,
      firmwareVersion,
      attested: readAttested(reader, tag),
    }
  })
}

function readClockInfo(reader: Reader): ClockInfo {
  const clock = reader.u64()
  const resetCount = reader.u32()
  const restartCount = reader.u32()
  return { clock, resetCount, restartCount, safe: readYesNo(reader) }
}

/** TPMI_YES_NO: 0 or 1 and nothing else (TPM 2.0 Part 2 r01.59 §9.2). */
function readYesNo(reader: Reader): boolean {
  const value = reader.u8()
  if (value > 1) throw new FormatError('structure-value', { expected: '0 or 1', found: `${value}` })
  return value === 1
}

function readAttested(reader: Reader, tag: number): Attested {
  switch (tag) {
    case TPM_ST_ATTEST.certify:
      return { type: tag, name: reader.sized(66), qualifiedName: reader.sized(66) }
    case TPM_ST_ATTEST.quote:
      return { type: tag, pcrSelect: readPcrSelections(reader), pcrDigest: reader.sized(64) }
    case TPM_ST_ATTEST.creation:
      return { type: tag, objectName: reader.sized(66), creationHash: reader.sized(64) }
    default:
      return { type: 'other', tag, body: reader.bytes(reader.remaining) }
  }
}

/** An attestation's type as its number, for messages. */
export function attestTag(attest: TpmsAttest): number {
  return attest.attested.type === 'other' ? attest.attested.tag : attest.attested.type
}

/** TPMS_ATTEST, the inverse of {@link parseTpmsAttest}. */
export function encodeTpmsAttest(attest: TpmsAttest): Uint8Array {
  const { clock, resetCount, restartCount, safe } = attest.clockInfo
  return Buffer.concat([
    u32(attest.magic),
    u16(attestTag(attest)),
    sized(attest.qualifiedSigner),
    sized(attest.extraData),
    Buffer.concat([u64(clock), u32(resetCount), u32(restartCount), u8(safe ? 1 : 0)]),
    u64(attest.firmwareVersion),
    encodeAttested(attest.attested),
  ])
}

function encodeAttested(attested: Attested): Uint8Array {
  switch (attested.type) {
    case TPM_ST_ATTEST.certify:
      return Buffer.concat([sized(attested.name), sized(attested.qualifiedName)])
    case TPM_ST_ATTEST.quote:
      return Buffer.concat([encodePcrSelections(attested.pcrSelect), sized(attested.pcrDigest)])
    case TPM_ST_ATTEST.creation:
      return Buffer.concat([sized(attested.objectName), sized(attested.creationHash)])
    default:
      return attested.body
  }
}
