import test from 'ava'
import { isRevocationReason } from '../../../src/core/status/revocation-reason.ts'

test('the reasons of RFC 5280 are known by their names, but for those that promise a way back', t => {
  t.true(isRevocationReason('keyCompromise'))
  for (const text of ['certificateHold', 'removeFromCRL', 'toString', ''])
    t.false(isRevocationReason(text))
})
