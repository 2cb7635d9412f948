import test from 'ava'
import { generateKeyPairSync, sign } from 'node:crypto'
import {
  encodeCheckpointText,
  parseCheckpointText,
  verifyCheckpoint,
} from '../../../src/core/log/checkpoint.ts'
import {
  encodeVerifierKey,
  isKeyName,
  loadPkcs8,
  parseVerifierKey,
  verifierOfSpki,
} from '../../../src/core/log/note-key.ts'
import { encodeNote, parseNote, verifyNote } from '../../../src/core/log/signed-note.ts'

// C2SP signed-note v1.0.0 §Verifier keys, Example.
const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const exampleNote =
  'This is an example message.\n\n' +
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
// The documentation of golang.org/x/mod/sumdb/note.
const neumannKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const neumannNote =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n\n" +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const origin = 'log.example/assay'
const verifier = verifierOfSpki(origin, publicKey.export({ format: 'der', type: 'spki' }))

function signText(text: string): string {
  const signature = sign(null, Buffer.from(text), privateKey)
  const { name, keyId } = verifier
  return encodeNote({ text, signatures: [{ name, keyId, signature }] })
}

test('the published notes verify under their published keys and re-encode to the same text', t => {
  for (const [key, note] of [
    [exampleKey, exampleNote],
    [neumannKey, neumannNote],
  ] as const) {
    const parsed = parseNote(note)
    t.notThrows(() => verifyNote(parsed, parseVerifierKey(key)))
    t.is(encodeNote(parsed), note)
    t.is(encodeVerifierKey(parseVerifierKey(key)), key)
  }
})

test('refuses a note under a key that did not sign it', t => {
  const code = 'note-unsigned'
  t.throws(() => verifyNote(parseNote(exampleNote), parseVerifierKey(neumannKey)), { code })
})

test('refuses a note with one letter changed', t => {
  const changed = parseNote(exampleNote.replace('This', 'Thus'))
  t.throws(() => verifyNote(changed, parseVerifierKey(exampleKey)), { code: 'note-signature' })
})

test('refuses a note when one of two signatures of the key does not hold', t => {
  const { text, signatures } = parseNote(exampleNote)
  const bad = { ...signatures[0]!, signature: new Uint8Array(64) }
  const note = { text, signatures: [...signatures, bad] }
  t.throws(() => verifyNote(note, parseVerifierKey(exampleKey)), { code: 'note-signature' })
})

test('ignores signatures of keys it does not know', t => {
  const other = parseNote(neumannNote).signatures
  const { text, signatures } = parseNote(exampleNote)
  const note = parseNote(encodeNote({ text, signatures: [...other, ...signatures] }))
  t.notThrows(() => verifyNote(note, parseVerifierKey(exampleKey)))
})

test('refuses what is not a signed note', t => {
  const wrong = [
    '',
    'text\n',
    'text\n\n',
    exampleNote.slice(0, -1),
    `${exampleNote}\n`,
    `${exampleNote}more\n`,
    exampleNote.replace('— ', '- '),
    exampleNote.replace('\n\n', '\n'),
    exampleNote.replace('example.com/foo', 'exam ple'),
    exampleNote.replace('example.com/foo', 'exam+ple'),
    exampleNote.replace('aQM=', 'aQM'),
    exampleNote.replace('aQM=', 'aQN='),
    exampleNote.replace('This', 'This\t'),
    exampleNote.replace('This', 'This\r'),
    exampleNote.replace('This', '\uD800'),
    `text\n\n— name ${Buffer.from('1234').toString('base64')}\n`,
    `text\n\n${'— name AAAAAAA=\n'.repeat(101)}`,
  ]
  for (const note of wrong)
    t.throws(() => parseNote(note), { code: 'note-malformed' }, JSON.stringify(note))
})

test('refuses a verifier key with anything wrong about it', t => {
  const wrong = [
    '',
    'example.com/foo',
    'example.com/foo+530d903a',
    exampleKey.replace('530d903a', '530d903b'),
    exampleKey.replace('530d903a', '530D903A'),
    exampleKey.replace('example.com/foo', 'example.com/fou'),
    exampleKey.replace('example.com/foo', ''),
    exampleKey.replace('+Aeky', '+Beky'),
    exampleKey.slice(0, -4),
    `${exampleKey}=`,
    `${exampleKey}\n`,
  ]
  for (const key of wrong)
    t.throws(() => parseVerifierKey(key), { code: 'note-key-malformed' }, JSON.stringify(key))
})

test('a key name is not empty and has no space, plus or control character', t => {
  t.true(isKeyName('log.example/ü'))
  for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00A0b', 'a\u3000b', 'a\u0000b', '\uD800'])
    t.false(isKeyName(name), JSON.stringify(name))
})

test('refuses a private key that is not Ed25519', t => {
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const code = 'note-key-malformed'
  t.throws(() => loadPkcs8(p256.privateKey.export({ format: 'der', type: 'pkcs8' })), { code })
  t.throws(() => loadPkcs8(new Uint8Array(48)), { code })
  const spki = p256.publicKey.export({ format: 'der', type: 'spki' })
  t.throws(() => verifierOfSpki(origin, spki), { code })
})

test('a checkpoint re-encodes to the same text', t => {
  for (const size of [0, 1, 70_000, Number.MAX_SAFE_INTEGER]) {
    const checkpoint = { origin, size, rootHash: new Uint8Array(32).fill(size % 256) }
    const text = encodeCheckpointText(checkpoint)
    t.deepEqual(parseCheckpointText(text), checkpoint)
    t.deepEqual(verifyCheckpoint(signText(text), verifier), checkpoint)
  }
})

test('refuses what is not the text of a checkpoint', t => {
  const root = Buffer.alloc(32).toString('base64')
  const wrong = [
    `${origin}\n1\n`,
    `\n1\n${root}\n`,
    `${origin}\n01\n${root}\n`,
    `${origin}\n-1\n${root}\n`,
    `${origin}\n1e3\n${root}\n`,
    `${origin}\n9007199254740992\n${root}\n`,
    `${origin}\n1\n${root.slice(4)}\n`,
    `${origin}\n1\n${root}`,
    `${origin}\n1\n${root}\nextension\n`,
    `${origin}\n1\n${root}\n\n`,
  ]
  for (const text of wrong)
    t.throws(
      () => parseCheckpointText(text),
      { code: 'checkpoint-malformed' },
      JSON.stringify(text),
    )
})

test('refuses a checkpoint that somebody else signed', t => {
  t.throws(() => verifyCheckpoint(exampleNote, verifier), { code: 'checkpoint-signature' })
})

test("refuses another log's checkpoint, though the key is the same", t => {
  const text = encodeCheckpointText({ origin: 'other', size: 0, rootHash: new Uint8Array(32) })
  t.throws(() => verifyCheckpoint(signText(text), verifier), { code: 'checkpoint-origin' })
})
