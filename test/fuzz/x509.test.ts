import test from 'ava'
import * as fc from 'fast-check'
import { generateKeyPairSync } from 'node:crypto'
import * as der from '../../src/core/der/writer.ts'
import { evidenceOf, rsaKey } from '../core/ek/fixtures.ts'
import { leaf, signedBy } from '../core/x509/fixtures.ts'
import { entry, list, response, serialOf } from '../core/x509/revocation-fixtures.ts'
import * as certificate from './certificate.ts'
import * as request from './certification-request.ts'
import * as crl from './crl.ts'
import * as derWalk from './der.ts'
import * as endorsement from './endorsement.ts'
import { mutated } from './mutated.ts'
import { certificateId, nonceOf, ocspRequest } from '../core/revocation/fixtures.ts'
import * as ocsp from './ocsp.ts'
import * as question from './ocsp-request.ts'

const end = leaf()
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const information = der.sequence(
  der.smallInteger(0),
  der.sequence(),
  keys.publicKey.export({ format: 'der', type: 'spki' }),
  der.contextConstructed(0),
)

const valid = {
  certificate: [evidenceOf().certificate, evidenceOf(undefined, rsaKey).certificate],
  request: [signedBy(keys, information)],
  list: [list(), list(parts => ({ ...parts, entries: [entry(serialOf(end), 1)] }))],
  response: [response(end)],
  question: [
    ocspRequest({ ids: [certificateId(Uint8Array.of(0x41))] }),
    ocspRequest({
      ids: [certificateId(Uint8Array.of(0x41)), certificateId(Uint8Array.of(0x42))],
      extensions: nonceOf(new Uint8Array(16)),
    }),
  ],
}
const all = Object.values(valid).flat()

const targets = [
  { what: 'the DER reader', fuzz: derWalk.fuzz, seeds: all, runs: 3000 },
  { what: 'the certificate parser', fuzz: certificate.fuzz, seeds: valid.certificate, runs: 3000 },
  { what: 'the request parser', fuzz: request.fuzz, seeds: valid.request, runs: 3000 },
  { what: 'the list parser', fuzz: crl.fuzz, seeds: valid.list, runs: 3000 },
  { what: 'the parser of OCSP requests', fuzz: question.fuzz, seeds: valid.question, runs: 3000 },
  { what: 'the OCSP parser', fuzz: ocsp.fuzz, seeds: valid.response, runs: 3000 },
  {
    what: 'the endorsement verifier',
    fuzz: endorsement.fuzz,
    seeds: valid.certificate.slice(0, 1),
    runs: 400,
  },
] as const

for (const { what, fuzz, seeds, runs } of targets) {
  test(`${what} takes what is valid`, t => {
    for (const seed of seeds) t.is(fuzz(seed), undefined)
  })
  test(`${what} gives a value or a code for random bytes`, t => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => void fuzz(bytes)),
      { numRuns: runs },
    )
    t.pass()
  })
  test(`${what} gives a value or a code for bytes that were valid`, t => {
    fc.assert(
      fc.property(mutated(seeds), bytes => void fuzz(bytes)),
      { numRuns: runs },
    )
    t.pass()
  })
}
