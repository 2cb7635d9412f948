import type { Inspection } from '../core/formats/inspected/inspection.ts'

/** What is to be looked at in a token of the service's own list. */
export interface InspectionRequest {
  /** DER SubjectPublicKeyInfo of an EC key: the private key of this one is meant. */
  readonly spki: Uint8Array
  /** CK_TOKEN_INFO.serialNumber of the token that is said to hold it. */
  readonly serial: string
  /** What the key is to sign, as it is. */
  readonly message: Uint8Array
}

/** Looks into tokens that the service has sessions of its own on. */
export interface TokenInspector {
  /**
   * Reads the attributes of a key in its token, and has it sign.
   *
   * @returns `absent` where the token has no such key; `unavailable` where no token of that serial can be used now
   */
  inspect(request: InspectionRequest): Promise<Inspection | 'absent' | 'unavailable'>
}
