import test from 'ava'
import * as fc from 'fast-check'
import { encodeEntryBundle, parseEntryBundle } from '../../../src/core/log/entry-bundle.ts'
import { leafHash } from '../../../src/core/log/merkle-hash.ts'
import { foldHashes } from '../../../src/core/log/subtree.ts'
import { splitTile, widthOfTile } from '../../../src/core/log/tile.ts'
import { encodeTilePath, parseTilePath } from '../../../src/core/log/tile-path.ts'
import { TreeEdge, type FullTile } from '../../../src/core/log/tree-edge.ts'
import { toHex } from './bytes.ts'

test('tile paths are those of the specification', t => {
  const examples = [
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
    ['tile/63/999.p/1', { level: 63, index: 999, width: 1 }],
    ['tile/1/x001/000.p/255', { level: 1, index: 1_000, width: 255 }],
    ['tile/entries/x012/345', { level: 'entries', index: 12_345, width: 256 }],
    ['tile/entries/000.p/44', { level: 'entries', index: 0, width: 44 }],
  ] as const
  for (const [path, address] of examples) {
    t.is(encodeTilePath(address), path)
    t.deepEqual(parseTilePath(path), address)
  }
})

test('every tile has one path and every path one tile', t => {
  const address = fc.record({
    level: fc.oneof(fc.nat(63), fc.constant('entries' as const)),
    index: fc.maxSafeNat(),
    width: fc.integer({ min: 1, max: 256 }),
  })
  fc.assert(fc.property(address, tile => t.deepEqual(parseTilePath(encodeTilePath(tile)), tile)))
})

test('refuses every other spelling of a tile path', t => {
  const wrong = [
    '',
    'tile/0',
    'tile/0/0',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001/x002',
    'tile/0/1000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/0/../000',
    'tile/entry/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/x001/x000/x000/x000/x000/x000/000',
  ]
  for (const path of wrong)
    t.throws(() => parseTilePath(path), { code: 'tile-path-malformed' }, path)
})

test('a tree of 70,000 leaves has the tiles that the specification counts', t => {
  t.is(widthOfTile(0, 272, 70_000), 256)
  t.is(widthOfTile(0, 273, 70_000), 112)
  t.is(widthOfTile(0, 274, 70_000), 0)
  t.is(widthOfTile(1, 0, 70_000), 256)
  t.is(widthOfTile(1, 1, 70_000), 17)
  t.is(widthOfTile(2, 0, 70_000), 1)
  t.is(widthOfTile(3, 0, 70_000), 0)
})

test('the edge of a tree gives each full tile once, with its root, and can be taken up again anywhere', t => {
  const size = 66_000
  const tiles: FullTile[] = []
  const whole = new TreeEdge(tile => tiles.push(tile))
  const ignored = (): void => undefined
  for (let n = 0; n < size; n += 1) {
    whole.append(leafHash(Buffer.from(String(n))))
    if (n % 7_919 !== 0) continue
    const widths = [0, 1, 2].map(level => Math.floor((n + 1) / 256 ** level) % 256)
    const partial = widths.map((width, level) => whole.partialTile(level, width))
    const restored = TreeEdge.restore(n + 1, partial, ignored)
    t.is(toHex(restored.root()), toHex(whole.root()))
  }
  t.is(tiles.filter(tile => tile.level === 0).length, 257)
  t.is(tiles.filter(tile => tile.level === 1).length, 1)
  for (const { hashes, root } of tiles) t.is(toHex(foldHashes(splitTile(hashes))), toHex(root))
})

test('an entry bundle re-encodes to the same bytes', t => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 })
  fc.assert(
    fc.property(entries, list => {
      const bundle = encodeEntryBundle(list)
      t.deepEqual(encodeEntryBundle(parseEntryBundle(bundle, list.length)), bundle)
    }),
  )
  const [largest] = parseEntryBundle(encodeEntryBundle([new Uint8Array(65_535)]), 1)
  t.is(largest?.length, 65_535)
})

test('refuses a bundle that is cut anywhere, goes on, or holds another number of entries', t => {
  const code = 'bundle-malformed'
  const bundle = encodeEntryBundle([Buffer.from('one'), new Uint8Array(0), Buffer.from('three')])
  for (let end = 0; end < bundle.length; end += 1)
    t.throws(() => parseEntryBundle(bundle.subarray(0, end), 3), { code })
  t.throws(() => parseEntryBundle(Buffer.concat([bundle, Buffer.of(0)]), 3), { code })
  t.throws(() => parseEntryBundle(bundle, 2), { code })
  t.throws(() => parseEntryBundle(bundle, 4), { code })
})

test('refuses an entry that its length cannot say, and never shortens it', t => {
  t.throws(() => encodeEntryBundle([new Uint8Array(65_536)]), { code: 'entry-too-large' })
})
