import test from 'ava'
import * as fc from 'fast-check'
import {
  createConsistencyProof,
  verifyConsistency,
} from '../../../src/core/log/consistency-proof.ts'
import { Frontier } from '../../../src/core/log/frontier.ts'
import { createInclusionProof, verifyInclusion } from '../../../src/core/log/inclusion-proof.ts'
import { emptyRoot, leafHash, nodeHash } from '../../../src/core/log/merkle-hash.ts'
import { leftWidth, rangeHash, type SubtreeRoots } from '../../../src/core/log/subtree.ts'
import { flipBit, hex, toHex } from './bytes.ts'

// The reference tree of certificate-transparency (merkletree/merkle_tree_test.cc) and its roots, sizes 1 to 8.
const referenceLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const referenceRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** MTH of RFC 6962 §2.1 as the specification writes it. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot()
  if (leaves.length === 1) return leaves[0]!
  const k = leftWidth(leaves.length)
  return nodeHash(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}

const maxSize = 300
const leaves = Array.from({ length: maxSize }, (_, i) => leafHash(Buffer.from(`entry ${i}`)))
const roots = Array.from({ length: maxSize + 1 }, (_, n) => naiveRoot(leaves.slice(0, n)))
const cache = new Map<string, Uint8Array>()
const subtrees: SubtreeRoots = (height, index) => {
  const key = `${height}/${index}`
  let root = cache.get(key)
  if (root === undefined) {
    root = naiveRoot(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height))
    cache.set(key, root)
  }
  return root
}

test('the tree without leaves has the hash of nothing as its root', t => {
  const expected = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  t.is(toHex(emptyRoot()), expected)
  t.is(toHex(new Frontier().root()), expected)
})

test('the reference tree of certificate-transparency has its published roots', t => {
  const frontier = new Frontier()
  const found = referenceLeaves.map(leaf => {
    frontier.append(leafHash(hex(leaf)))
    return toHex(frontier.root())
  })
  t.deepEqual(found, referenceRoots)
})

test('the reference tree has its published audit paths', t => {
  const reference = referenceLeaves.map(leaf => leafHash(hex(leaf)))
  const subtree: SubtreeRoots = (height, index) =>
    naiveRoot(reference.slice(index * 2 ** height, (index + 1) * 2 ** height))
  t.deepEqual(createInclusionProof(0, 8, subtree).map(toHex), [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ])
  t.deepEqual(createConsistencyProof(6, 8, subtree).map(toHex), [
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
})

test('appending leaf by leaf gives the root that the definition gives', t => {
  const frontier = new Frontier()
  for (const [size, leaf] of leaves.entries()) {
    t.is(toHex(frontier.root()), toHex(roots[size]!))
    frontier.append(leaf)
  }
  t.is(frontier.size, maxSize)
})

test('the root of any range of a tree follows from its perfect subtrees', t => {
  for (let size = 1; size <= maxSize; size += 1)
    t.deepEqual(rangeHash(0, size, subtrees), roots[size])
})

test('every leaf of every tree has an inclusion proof that verifies', t => {
  for (let size = 1; size <= maxSize; size += 1)
    for (let index = 0; index < size; index += 1) {
      const proof = createInclusionProof(index, size, subtrees)
      verifyInclusion({ index, size, leaf: leaves[index]!, proof, root: roots[size]! })
    }
  t.pass()
})

test('every two trees have a consistency proof that verifies', t => {
  for (let newer = 1; newer <= maxSize; newer += 1)
    for (let older = 1; older <= newer; older += 1) {
      const proof = createConsistencyProof(older, newer, subtrees)
      const [olderRoot, newerRoot] = [roots[older]!, roots[newer]!]
      verifyConsistency({ older, olderRoot, newer, newerRoot, proof })
    }
  t.pass()
})

const positions = fc
  .integer({ min: 1, max: maxSize })
  .chain(size => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }))

test('refuses an inclusion proof with any bit flipped, any hash missing or too many', t => {
  const code = 'inclusion-proof-invalid'
  fc.assert(
    fc.property(positions, fc.nat(), fc.nat(255), ({ size, index }, at, bit) => {
      const proof = createInclusionProof(index, size, subtrees)
      const claim = { index, size, leaf: leaves[index]!, proof, root: roots[size]! }
      const which = at % (proof.length + 2)
      const flipped =
        which === proof.length
          ? { ...claim, leaf: flipBit(claim.leaf, bit) }
          : which > proof.length
            ? { ...claim, root: flipBit(claim.root, bit) }
            : { ...claim, proof: proof.with(which, flipBit(proof[which]!, bit)) }
      t.throws(() => verifyInclusion(flipped), { code })
      t.throws(() => verifyInclusion({ ...claim, proof: [...proof, leaves[0]!] }), { code })
      if (proof.length > 0)
        t.throws(() => verifyInclusion({ ...claim, proof: proof.slice(1) }), { code })
    }),
  )
})

test('refuses a consistency proof with any bit flipped, any hash missing or too many', t => {
  const code = 'consistency-proof-invalid'
  fc.assert(
    fc.property(positions, fc.nat(), fc.nat(255), ({ size: newer, index }, at, bit) => {
      const older = index + 1
      const proof = createConsistencyProof(older, newer, subtrees)
      const claim = { older, newer, olderRoot: roots[older]!, newerRoot: roots[newer]!, proof }
      const which = at % (proof.length + 2)
      const flipped =
        which === proof.length
          ? { ...claim, olderRoot: flipBit(claim.olderRoot, bit) }
          : which > proof.length
            ? { ...claim, newerRoot: flipBit(claim.newerRoot, bit) }
            : { ...claim, proof: proof.with(which, flipBit(proof[which]!, bit)) }
      t.throws(() => verifyConsistency(flipped), { code })
      t.throws(() => verifyConsistency({ ...claim, proof: [...proof, leaves[0]!] }), { code })
      if (proof.length > 0)
        t.throws(() => verifyConsistency({ ...claim, proof: proof.slice(1) }), { code })
    }),
  )
})

test('refuses proofs about trees that cannot be', t => {
  const [leaf, root] = [leaves[0]!, roots[1]!]
  const code = 'inclusion-proof-invalid'
  for (const [index, size] of [
    [0, 0],
    [1, 1],
    [-1, 1],
    [0.5, 1],
    [0, Number.NaN],
    [0, 2 ** 60],
  ] as const)
    t.throws(() => verifyInclusion({ index, size, leaf, proof: [], root }), { code })
  t.throws(() => verifyInclusion({ index: 0, size: 1, leaf: leaf.subarray(1), proof: [], root }), {
    code,
  })
  for (const [older, newer] of [
    [0, 1],
    [2, 1],
    [1, 2 ** 60],
  ] as const)
    t.throws(
      () => verifyConsistency({ older, newer, olderRoot: root, newerRoot: root, proof: [] }),
      { code: 'consistency-proof-invalid' },
    )
})
