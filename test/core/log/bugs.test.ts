import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { parseAuditEntry } from '../../../src/core/log/audit-entry.ts'
import { encodeCheckpointText } from '../../../src/core/log/checkpoint.ts'
import {
  createConsistencyProof,
  verifyConsistency,
} from '../../../src/core/log/consistency-proof.ts'
import { Frontier } from '../../../src/core/log/frontier.ts'
import { createInclusionProof } from '../../../src/core/log/inclusion-proof.ts'
import { nodeHash } from '../../../src/core/log/merkle-hash.ts'
import { encodeVerifierKey } from '../../../src/core/log/note-key.ts'
import { encodeNote } from '../../../src/core/log/signed-note.ts'
import { foldHashes } from '../../../src/core/log/subtree.ts'
import { encodeTilePath } from '../../../src/core/log/tile-path.ts'
import { splitTile } from '../../../src/core/log/tile.ts'

const hash = new Uint8Array(32)
const bug = { instanceOf: TypeError }
const noRoots = (): Uint8Array => hash

test('a checkpoint has an origin of one line', t => {
  for (const origin of ['', 'a\nb', 'a\r'])
    t.throws(() => encodeCheckpointText({ origin, size: 1, rootHash: hash }), bug)
})

test('a proof is made within its tree', t => {
  for (const [older, newer] of [
    [0, 1],
    [2, 1],
    [1.5, 2],
    [1, -1],
  ] as const)
    t.throws(() => createConsistencyProof(older, newer, noRoots), bug)
  for (const [index, size] of [
    [1, 1],
    [-1, 1],
    [0.5, 2],
  ] as const)
    t.throws(() => createInclusionProof(index, size, noRoots), bug)
})

test('refuses a consistency proof of sizes or hashes that no tree has, or that lacks its beginning', t => {
  const claim = { older: 3, newer: 5, olderRoot: hash, newerRoot: hash, proof: [hash] }
  for (const change of [
    { older: 0 },
    { older: 6 },
    { newer: 5.5 },
    { olderRoot: new Uint8Array(31) },
    { proof: [new Uint8Array(33)] },
    { proof: [] },
  ])
    t.throws(() => verifyConsistency({ ...claim, ...change }), {
      code: 'consistency-proof-invalid',
    })
})

test('a tree is taken up with one root per perfect subtree', t => {
  t.throws(() => Frontier.restore(3, [hash]), bug)
})

test('hashes are of 32 bytes, a perfect subtree is of a power of two of them, a tile of whole ones', t => {
  t.throws(() => nodeHash(hash, new Uint8Array(31)), bug)
  t.throws(() => nodeHash(new Uint8Array(33), hash), bug)
  t.throws(() => foldHashes([hash, hash, hash]), bug)
  t.throws(() => foldHashes([]), bug)
  t.throws(() => splitTile(new Uint8Array(33)), bug)
})

test('a tile that cannot exist has no path', t => {
  t.throws(() => encodeTilePath({ level: 0, index: 0, width: 257 }), bug)
  t.throws(() => encodeTilePath({ level: 0, index: -1, width: 1 }), bug)
})

test('a note has whole lines, and is signed by a key with a name and an id', t => {
  t.throws(() => encodeNote({ text: 'no end', signatures: [] }), bug)
  t.throws(() => encodeNote({ text: 'a\u0000\n', signatures: [] }), bug)
  const signature = { name: 'a', keyId: new Uint8Array(4), signature: hash }
  for (const change of [{ name: 'a b' }, { name: '' }, { keyId: new Uint8Array(3) }])
    t.throws(() => encodeNote({ text: 'a\n', signatures: [{ ...signature, ...change }] }), bug)
})

test('a verifier key is of Ed25519', t => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  t.throws(() => encodeVerifierKey({ name: 'a', keyId: new Uint8Array(4), key: publicKey }), bug)
})

test('refuses an audit entry whose members are of another kind', t => {
  const entry = { actor: 'a', detail: {}, subject: 's', time: 1, type: 'x', version: 1 }
  const encoded = (value: object): Uint8Array => Buffer.from(JSON.stringify(value))
  t.notThrows(() => parseAuditEntry(encoded(entry)))
  for (const change of [
    { type: 1 },
    { actor: null },
    { subject: [] },
    { time: '1' },
    { detail: [] },
  ])
    t.throws(() => parseAuditEntry(encoded({ ...entry, ...change })), { code: 'entry-malformed' })
})
