import test from 'ava'
import { generateKeyPairSync, sign } from 'node:crypto'
import { encodeCheckpointText } from '../../../src/core/log/checkpoint.ts'
import { encodeEntryBundle } from '../../../src/core/log/entry-bundle.ts'
import { leafHash } from '../../../src/core/log/merkle-hash.ts'
import { verifierOfSpki } from '../../../src/core/log/note-key.ts'
import { encodeNote } from '../../../src/core/log/signed-note.ts'
import { encodeTilePath } from '../../../src/core/log/tile-path.ts'
import { TreeEdge } from '../../../src/core/log/tree-edge.ts'
import { verifyLog, type ReadLog } from '../../../src/core/log/verify-log.ts'
import { flipBit } from './bytes.ts'

const origin = 'log.example/assay'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const verifier = verifierOfSpki(origin, publicKey.export({ format: 'der', type: 'spki' }))

type Files = Map<string, Uint8Array>

/** The files of a log as a static web server would hold them. */
function publish(entries: readonly Uint8Array[]): Files {
  const files: Files = new Map()
  const edge = new TreeEdge(({ level, index, hashes }) =>
    files.set(encodeTilePath({ level, index, width: 256 }), hashes),
  )
  for (const entry of entries) edge.append(leafHash(entry))
  for (let level = 0; 256 ** level <= entries.length; level += 1) {
    const width = Math.floor(entries.length / 256 ** level) % 256
    const index = Math.floor(entries.length / 256 ** (level + 1))
    if (width > 0)
      files.set(encodeTilePath({ level, index, width }), edge.partialTile(level, width))
  }
  for (let index = 0; index * 256 < entries.length; index += 1) {
    const bundle = entries.slice(index * 256, (index + 1) * 256)
    const path = encodeTilePath({ level: 'entries', index, width: bundle.length })
    files.set(path, encodeEntryBundle(bundle))
  }
  files.set('checkpoint', Buffer.from(checkpointOf(entries.length, edge.root())))
  return files
}

function checkpointOf(size: number, rootHash: Uint8Array): string {
  const text = encodeCheckpointText({ origin, size, rootHash })
  const signature = sign(null, Buffer.from(text), privateKey)
  const { name, keyId } = verifier
  return encodeNote({ text, signatures: [{ name, keyId, signature }] })
}

const readerOf =
  (files: Files): ReadLog =>
  async path =>
    await Promise.resolve(files.get(path))

function entriesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`))
}

function tampered(files: Files, path: string, change: (bytes: Uint8Array) => Uint8Array): ReadLog {
  const original = files.get(path)
  if (original === undefined) throw new Error(`no ${path}`)
  return readerOf(new Map(files).set(path, change(original)))
}

const text = (files: Files): string => Buffer.from(files.get('checkpoint')!).toString()
const log = publish(entriesOf(1_000))

for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 1_000, 66_100])
  test(`a log of ${size} entries verifies, each entry seen once and in order`, async t => {
    const seen: string[] = []
    const onEntry = (entry: Uint8Array, index: number): void => {
      if (seen.push(Buffer.from(entry).toString()) !== index + 1) t.fail()
    }
    const verified = await verifyLog({
      read: readerOf(publish(entriesOf(size))),
      verifier,
      onEntry,
    })
    t.is(verified.origin, origin)
    t.is(verified.size, size)
    t.is(verified.entries, size)
    t.deepEqual(seen, entriesOf(size).map(String))
  })

test('refuses a checkpoint whose text was changed', async t => {
  const read = tampered(log, 'checkpoint', bytes =>
    Buffer.from(Buffer.from(bytes).toString().replace('\n1000\n', '\n1001\n')),
  )
  await t.throwsAsync(verifyLog({ read, verifier }), { code: 'checkpoint-signature' })
})

test('refuses a log that has no checkpoint, or one that is not text', async t => {
  const code = 'note-malformed'
  await t.throwsAsync(verifyLog({ read: readerOf(new Map()), verifier }), { code })
  const read = tampered(log, 'checkpoint', () => Buffer.of(0xff, 0x0a, 0x0a))
  await t.throwsAsync(verifyLog({ read, verifier }), { code })
})

test('refuses a signed root that is not that of the tiles', async t => {
  const read = tampered(log, 'checkpoint', () =>
    Buffer.from(checkpointOf(1_000, new Uint8Array(32))),
  )
  await t.throwsAsync(verifyLog({ read, verifier }), { code: 'root-mismatch' })
})

test('refuses a changed tile at the right edge', async t => {
  for (const path of ['tile/0/003.p/232', 'tile/1/000.p/3']) {
    const read = tampered(log, path, bytes => flipBit(bytes, 77))
    await t.throwsAsync(verifyLog({ read, verifier }), { code: 'root-mismatch' }, path)
  }
})

test('refuses a changed tile inside the tree, and names it', async t => {
  const read = tampered(log, 'tile/0/001', bytes => flipBit(bytes, 4_000))
  const error = await t.throwsAsync(verifyLog({ read, verifier }), { code: 'tile-mismatch' })
  t.like(error, { found: 'tile/0/001' })
})

test('refuses a tile of another length', async t => {
  for (const path of ['tile/0/001', 'tile/0/003.p/232']) {
    const read = tampered(log, path, bytes => bytes.subarray(32))
    await t.throwsAsync(verifyLog({ read, verifier }), { code: 'tile-mismatch' }, path)
  }
})

test('refuses a changed entry, and names its bundle', async t => {
  for (const path of ['tile/entries/002', 'tile/entries/003.p/232']) {
    const read = tampered(log, path, bytes => flipBit(bytes, 20))
    const error = await t.throwsAsync(verifyLog({ read, verifier }), { code: 'bundle-mismatch' })
    t.like(error, { found: path })
  }
})

test('refuses two entries that changed places', async t => {
  const read = tampered(log, 'tile/entries/000', () =>
    encodeEntryBundle(
      entriesOf(256).with(0, Buffer.from('entry 1')).with(1, Buffer.from('entry 0')),
    ),
  )
  await t.throwsAsync(verifyLog({ read, verifier }), { code: 'bundle-mismatch' })
})

test('refuses a bundle with an entry too few', async t => {
  const read = tampered(log, 'tile/entries/000', () => encodeEntryBundle(entriesOf(255)))
  await t.throwsAsync(verifyLog({ read, verifier }), { code: 'bundle-malformed' })
})

test('refuses a log that withholds a tile or a bundle', async t => {
  for (const [path, code] of [
    ['tile/0/000', 'tile-missing'],
    ['tile/1/000.p/3', 'tile-missing'],
    ['tile/entries/001', 'bundle-missing'],
  ] as const) {
    const files = new Map(log)
    files.delete(path)
    await t.throwsAsync(verifyLog({ read: readerOf(files), verifier }), { code }, path)
  }
})

test('accepts a log that has grown since it was last trusted, from any size', async t => {
  for (const size of [0, 1, 300, 1_000]) {
    const trusted = text(publish(entriesOf(size)))
    t.is((await verifyLog({ read: readerOf(log), verifier, trusted })).size, 1_000)
  }
})

test('refuses a log that is shorter than it was', async t => {
  const trusted = text(publish(entriesOf(1_001)))
  const code = 'checkpoint-rollback'
  await t.throwsAsync(verifyLog({ read: readerOf(log), verifier, trusted }), { code })
})

test('refuses a log that rewrote an entry and signed the result', async t => {
  const code = 'checkpoint-inconsistent'
  const rewritten = publish(entriesOf(1_000).with(5, Buffer.from('another')))
  for (const size of [6, 300, 1_000]) {
    const trusted = text(publish(entriesOf(size)))
    await t.throwsAsync(verifyLog({ read: readerOf(rewritten), verifier, trusted }), { code })
  }
  const before = text(publish(entriesOf(5)))
  t.is((await verifyLog({ read: readerOf(rewritten), verifier, trusted: before })).size, 1_000)
})

test('refuses a trusted checkpoint that the log did not sign', async t => {
  const trusted = text(log).replace('\n1000\n', '\n1\n')
  const code = 'checkpoint-signature'
  await t.throwsAsync(verifyLog({ read: readerOf(log), verifier, trusted }), { code })
})
