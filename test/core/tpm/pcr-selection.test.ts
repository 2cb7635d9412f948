import test from 'ava'
import * as fc from 'fast-check'
import { parseAll } from '../../../src/core/bytes/reader.ts'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import {
  encodePcrSelections,
  readPcrSelections,
  type PcrSelection,
} from '../../../src/core/tpm/pcr-selection.ts'
import { formatErrorOf } from './structures.ts'

function read(hexadecimal: string): PcrSelection[] {
  return parseAll(Buffer.from(hexadecimal.replaceAll(' ', ''), 'hex'), readPcrSelections)
}

test('what is written is read, whatever PCRs are selected', t => {
  const pcrs = fc.uniqueArray(fc.nat(23)).map(list => list.toSorted((left, right) => left - right))
  fc.assert(
    fc.property(pcrs, pcrs, (first, second) => {
      const selections = [
        { hash: TPM_ALG.SHA256, pcrs: first },
        { hash: TPM_ALG.SHA384, pcrs: second },
      ]
      t.deepEqual(parseAll(encodePcrSelections(selections), readPcrSelections), selections)
    }),
  )
})

test('PCRs stand in the bits of their octets, lowest first', t => {
  t.deepEqual(read('00000001 000b 03 810180'), [{ hash: 0x000b, pcrs: [0, 7, 8, 23] }])
})

test('a selection of 0 to 4 octets is read', t => {
  t.deepEqual(read('00000001 000b 00'), [{ hash: 0x000b, pcrs: [] }])
  t.deepEqual(read('00000001 000b 01 01'), [{ hash: 0x000b, pcrs: [0] }])
  t.deepEqual(read('00000001 000b 02 0101'), [{ hash: 0x000b, pcrs: [0, 8] }])
  t.deepEqual(read('00000001 000b 04 01010100'), [{ hash: 0x000b, pcrs: [0, 8, 16] }])
  t.is(
    formatErrorOf(() => read('00000001 000b 05 0101010000')),
    'structure-value',
  )
  t.is(
    formatErrorOf(() => read('00000001 000b ff')),
    'structure-value',
  )
})

test('a PCR above 23 is refused', t => {
  t.is(
    formatErrorOf(() => read('00000001 000b 04 00000001')),
    'structure-value',
  )
})

test('a bank that occurs twice is refused', t => {
  t.is(
    formatErrorOf(() => read('00000002 000b 03 010000 000b 03 020000')),
    'structure-value',
  )
})

test('more than 16 banks, and as many as a count can say, are refused before any is read', t => {
  t.is(
    formatErrorOf(() => read('00000011')),
    'structure-value',
  )
  t.is(
    formatErrorOf(() => read('ffffffff')),
    'structure-value',
  )
  t.is(
    formatErrorOf(() => read('00000010')),
    'structure-short',
  )
})

test('no PCR is written that does not exist', t => {
  for (const pcr of [-1, 24, 0.5, Number.NaN])
    t.throws(() => encodePcrSelections([{ hash: TPM_ALG.SHA256, pcrs: [pcr] }]), {
      instanceOf: TypeError,
    })
})
