import { CheckRecorder } from '../../verifier/check.ts'
import { hsmRecord } from '../hsm/evidence.ts'
import type { HsmFormat } from '../hsm/format.ts'
import { isKeyOf, verifyHsmRequest } from '../hsm/request.ts'
import { sealHsmKey } from '../hsm/verified.ts'
import { verifyDevicePath } from './device-path.ts'
import { attestationVendorOf } from './vendor-table.ts'

const record = hsmRecord('hsm-attested')

/**
 * A key that its vendor's device attests: a certificate for the key by the device, the device's by the vendor, and the
 * key's own signature over the challenge, since such certificates know no nonce.
 *
 * @see verification section 15, H1 to H6
 */
export const hsmAttestedFormat: HsmFormat = {
  ...record,
  verifyKey: (evidence, expected) => {
    const checks = new CheckRecorder()
    const request = verifyHsmRequest(checks, record.id, evidence, expected.context)
    const vendor = attestationVendorOf(evidence.vendor)
    if (vendor === undefined)
      return checks.refuse('hsm-vendor', { found: evidence.vendor.slice(0, 40) })
    checks.pass('hsm-vendor', undefined, vendor.id)
    const { key, device, anchors } = verifyDevicePath(checks, vendor, evidence, expected)
    checks.require(isKeyOf(request, key.fields.publicKey), 'csr-key-differs')
    const { model, serial, firmware, properties } = vendor.verify(checks, key, device)
    const token = { manufacturer: vendor.manufacturer, model, serial }
    const facts = { token, vendor: vendor.id, firmware, properties }
    return sealHsmKey(
      checks,
      { request, facts, level: 'hsm-attested', endorsementKind: 'certificate', anchors },
      { claimed: evidence.token, isToken: expected.isToken },
    )
  },
}
