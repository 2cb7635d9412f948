import test from 'ava'
import { sourceAddressOf } from '../../../src/core/authorization/source-address.ts'
import {
  decisionDigest,
  encodeDecisionInput,
} from '../../../src/core/authorization/decision-input.ts'
import { encodeCanonicalJson } from '../../../src/core/log/canonical-json.ts'
import { inputOf } from './inputs.ts'

test('an address is taken as policies write it', t => {
  t.is(sourceAddressOf(undefined), null)
  t.is(sourceAddressOf('10.0.0.1'), '10.0.0.1')
  t.is(sourceAddressOf('::ffff:10.0.0.1'), '10.0.0.1')
  t.is(sourceAddressOf('fe80::1%eth0'), 'fe80::1')
})

test('an input is canonical JSON, and named by its digest', t => {
  const input = inputOf()
  const text = encodeDecisionInput(input)
  t.is(text, encodeCanonicalJson(input))
  t.is(encodeDecisionInput(JSON.parse(text) as typeof input), text)
  t.regex(decisionDigest(text), /^[\w-]{43}$/)
})
