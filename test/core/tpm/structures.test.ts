import test from 'ava'
import * as fc from 'fast-check'
import { parseTpmsAttest } from '../../../src/core/tpm/attest.ts'
import { parseTpmtPublic } from '../../../src/core/tpm/public.ts'
import { parseTpmtSignature } from '../../../src/core/tpm/signature.ts'
import { formatErrorOf, structures } from './structures.ts'

for (const { name, bytes, copy, sizes } of structures) {
  test(`${name}: what was read is written as the same bytes`, t => {
    t.deepEqual(Buffer.from(copy(bytes)), Buffer.from(bytes))
  })

  test(`${name}: cut off at any offset it is no structure`, t => {
    for (let end = 0; end < bytes.length; end += 1) {
      const code = formatErrorOf(() => copy(bytes.subarray(0, end)))
      if (code !== 'structure-short' && code !== 'structure-value') t.fail(`${end}: ${code}`)
    }
    t.pass()
  })

  test(`${name}: with a byte after it, it is no structure`, t => {
    for (const byte of [0, 1, 255]) {
      const longer = Buffer.concat([bytes, Uint8Array.of(byte)])
      t.is(
        formatErrorOf(() => copy(longer)),
        'structure-trailing',
      )
    }
  })

  test(`${name}: with any size one more or less, zero or full, it is no structure`, t => {
    t.true(sizes.length > 0 && sizes.every(offset => offset >= 0))
    for (const offset of sizes) {
      const size = Buffer.from(bytes).readUInt16BE(offset)
      for (const wrong of [size - 1, size + 1, 0, 0xffff]) {
        const changed = Buffer.from(bytes)
        changed.writeUInt16BE(wrong, offset)
        if (formatErrorOf(() => copy(changed)) === 'read') t.fail(`${offset}: ${wrong}`)
      }
    }
  })
}

for (const [name, parse] of Object.entries({
  parseTpmtPublic,
  parseTpmsAttest,
  parseTpmtSignature,
})) {
  test(`${name} gives a value or a coded error for any bytes`, t => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        formatErrorOf(() => parse(bytes))
      }),
    )
    t.pass()
  })
}

test('one changed byte of a structure gives a value or a coded error', t => {
  fc.assert(
    fc.property(fc.constantFrom(...structures), fc.nat(), fc.nat(255), (structure, at, byte) => {
      const changed = Buffer.from(structure.bytes)
      changed[at % changed.length] = byte
      const run = (): Uint8Array => structure.copy(changed)
      // What is read in spite of the change has one encoding, and that is what was read.
      if (formatErrorOf(run) === 'read') t.deepEqual(Buffer.from(run()), changed)
    }),
    { numRuns: 3000 },
  )
  t.pass()
})
