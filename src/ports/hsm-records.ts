import type { HsmFormatId } from '../core/formats/format-table.ts'
import type { HsmClaim } from '../core/formats/hsm/evidence.ts'

/** For what an HSM is challenged: nothing of it is verified before the answer. */
export interface HsmEnrollment extends HsmClaim {
  readonly format: HsmFormatId
}

/** An attestation key of an HSM that an operator registered. */
export interface HsmKeyRecord {
  /** RFC 7638 thumbprint: its name. */
  readonly jkt: string
  /** Public JWK, JSON. */
  readonly jwk: string
  /** What people call it. */
  readonly name: string
  readonly manufacturer: string
  readonly model: string
  /** Keyed hash of maker and serial number, as `HostRecord.endorsementId`. */
  readonly tokenId: string
  readonly registeredAt: number
  readonly registeredBy: string
  readonly retiredAt: number | null
  readonly retiredBy: string | null
  readonly retirementReason: string | null
}
