import test from 'ava'
import * as fc from 'fast-check'
import { structures } from '../core/tpm/structures.ts'
import { attestationKeys, statementOf } from '../core/webauthn/fixtures.ts'
import * as attestationKey from './attestation-key.ts'
import { mutated } from './mutated.ts'
import * as attest from './tpm-attest.ts'
import * as publicArea from './tpm-public.ts'
import * as signature from './tpm-signature.ts'
import * as statement from './tpm-statement.ts'

const of = (word: string): Uint8Array[] =>
  structures.filter(({ name }) => name.includes(word)).map(({ bytes }) => bytes)

const targets = [
  {
    what: 'the parser of public areas',
    fuzz: publicArea.fuzz,
    seeds: of('public area'),
    runs: 3000,
  },
  {
    what: 'the parser of attestations',
    fuzz: attest.fuzz,
    seeds: [...of('certification'), ...of('quote')],
    runs: 3000,
  },
  { what: 'the parser of signatures', fuzz: signature.fuzz, seeds: of('signature'), runs: 3000 },
  {
    what: 'the verifier of attestation keys',
    fuzz: attestationKey.fuzz,
    seeds: Object.values(attestationKeys).map(key => key.public),
    runs: 1000,
  },
  {
    what: 'the verifier of tpm statements',
    fuzz: statement.fuzz,
    seeds: [statementOf()],
    runs: 400,
  },
] as const

for (const { what, fuzz, seeds, runs } of targets) {
  test(`${what} takes what is valid`, t => {
    t.true(seeds.length > 0)
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
