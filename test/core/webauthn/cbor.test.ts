import test from 'ava'
import { encode } from 'cborg'
import { parseCborMap, readCbor } from '../../../src/core/webauthn/cbor.ts'
import { coseKeyOf } from './fixtures.ts'
import { algorithmOfCoseKey, coseAlgorithm, isKeyOfArea } from '../../../src/core/webauthn/cose.ts'
import { eccArea, formatErrorOf } from '../tpm/structures.ts'

const octets = (hexadecimal: string): Uint8Array =>
  Buffer.from(hexadecimal.replaceAll(' ', ''), 'hex')
const codeOf = (hexadecimal: string): string =>
  formatErrorOf(() => parseCborMap(octets(hexadecimal)))

test('a map is read, its keys numbers or texts, and what follows an item is given back', t => {
  t.deepEqual(
    [...parseCborMap(octets('a2 01 02 61 61 20'))],
    [
      [1, 2],
      ['a', -1],
    ],
  )
  const { item, rest } = readCbor(octets('01 02 03'))
  t.is(item, 1)
  t.deepEqual(Buffer.from(rest), Buffer.from([2, 3]))
})

test('a key twice, an indefinite length, a long number, a tag, a break and what is no map are refused', t => {
  const wrong = {
    'a key twice': 'a2 01 02 01 03',
    'an indefinite map': 'bf 01 02 ff',
    'an indefinite text': 'a1 01 7f 61 61 ff',
    'a number in two bytes': 'a1 18 01 02',
    'a length in two bytes': 'a1 01 58 01 00',
    'a tag': 'c1 a1 01 02',
    undefined: 'a1 01 f7',
    'no number': 'a1 01 f97e00',
    infinity: 'a1 01 f97c00',
    'a break': 'ff',
    'a list': '81 01',
    'a number': '01',
    nothing: '',
  }
  for (const [name, bytes] of Object.entries(wrong)) t.is(codeOf(bytes), 'structure-value', name)
  t.is(codeOf('a1 01 02 00'), 'structure-trailing')
})

test('P4 counts that say more than there is, and depth without end, are refused at once', t => {
  for (const count of ['bb ffffffffffffffff', '9b ffffffffffffffff', '5b ffffffffffffffff'])
    t.is(codeOf(count), 'structure-value')
  const deep = Buffer.alloc(60_000, 0x81)
  t.is(
    formatErrorOf(() => readCbor(deep)),
    'structure-value',
  )
  const many = encode(Array.from({ length: 600 }, () => 0))
  t.is(
    formatErrorOf(() => readCbor(many)),
    'structure-value',
  )
})

test('strong algorithms of COSE have a row, and others have none', t => {
  const known = [-7, -35, -36, -257, -258, -259, -37, -38, -39]
  for (const id of known) t.is(coseAlgorithm(id)?.id, id)
  for (const id of [-65_535, -8, -47, 0, 7, 'ES256', undefined]) t.is(coseAlgorithm(id), undefined)
})

test('a key is of the type of its algorithm', t => {
  t.is(
    algorithmOfCoseKey(
      new Map([
        [1, 2],
        [3, -7],
      ]),
    )?.id,
    -7,
  )
  t.is(
    algorithmOfCoseKey(
      new Map([
        [1, 3],
        [3, -7],
      ]),
    ),
    undefined,
  )
  t.is(algorithmOfCoseKey(new Map([[1, 2]])), undefined)
})

test('no key is that of an area whose own is none', t => {
  const area = { ...eccArea, x: new Uint8Array(48).fill(1) }
  t.false(isKeyOfArea(coseKeyOf(area), area))
})
