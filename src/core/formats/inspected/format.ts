import { isEcdsaSignature } from '../../jose/ecdsa.ts'
import { CheckRecorder } from '../../verifier/check.ts'
import { parsePublicKey } from '../../x509/public-key.ts'
import { verifyAttributes } from '../hsm/attributes.ts'
import { hsmInspectionMessage } from '../hsm/binding.ts'
import { hsmRecord } from '../hsm/evidence.ts'
import type { HsmFormat } from '../hsm/format.ts'
import { propertiesOf } from '../hsm/properties.ts'
import { isKeyOf, verifyHsmRequest } from '../hsm/request.ts'
import { sealHsmKey } from '../hsm/verified.ts'
import { parseInspection } from './inspection.ts'

const record = hsmRecord('hsm-inspected')

/**
 * A key that the service looked at itself, in its own session on the same token: it read the attributes there, and the
 * key there signed the challenge. The host's word counts for nothing but which key is meant.
 *
 * @see verification section 14
 */
export const hsmInspectedFormat: HsmFormat = {
  ...record,
  verifyKey: (evidence, expected) => {
    const checks = new CheckRecorder()
    const { context, isToken } = expected
    const request = verifyHsmRequest(checks, record.id, { ...evidence, statement: none }, context)
    const { statement } = evidence
    const { inspection, publicKey } = checks.attempt('hsm-inspection-malformed', undefined, () => {
      const read = parseInspection(statement)
      return { inspection: read, publicKey: parsePublicKey(read.spki).publicKey }
    })
    checks.require(isKeyOf(request, publicKey), 'hsm-inspection-key')
    const message = hsmInspectionMessage(context, evidence.csr)
    const { hash } = request.algorithm
    const isSigned = isEcdsaSignature(hash, message, request.key, inspection.signature)
    checks.require(isSigned, 'hsm-inspection-signature')
    verifyAttributes(checks, inspection.attributes)
    const { token, firmware } = inspection
    const properties = propertiesOf(inspection.attributes)
    const facts = { token, vendor: token.manufacturer, firmware, properties }
    return sealHsmKey(
      checks,
      { request, facts, level: 'hsm-inspected', endorsementKind: 'inspected' },
      { claimed: evidence.token, isToken },
    )
  },
}

/** The inspection comes after the proof, which is of the host: it covers no statement. */
const none = new Uint8Array()
