import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { encodeEncryptedKey, parseEncryptedKey } from '../../src/hsm/encrypted-key.ts'
import { encodePlainKey, isEncryptedKey, KeyCipher } from '../../src/hsm/key-cipher.ts'
import { encodePrivacyKey, parsePrivacyKey } from '../../src/hsm/privacy-key.ts'
import { parsePemBody } from './pem-body.ts'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const der = key.export({ format: 'der', type: 'pkcs8' })
const passphrase = 'correct horse battery staple'
const cipher = new KeyCipher(() => [passphrase])
const pem = cipher.encrypt(der)

test('a key opens under its passphrase, and shows nothing of itself without', t => {
  t.deepEqual(Buffer.from(cipher.open(pem, 'x')), der)
  t.true(isEncryptedKey(pem))
  t.false(parsePemBody(pem).includes(der.subarray(-32)))
  t.throws(() => new KeyCipher(() => []).open(pem, 'x'), { code: 'key-passphrase-missing' })
  t.throws(() => new KeyCipher(() => []).encrypt(der), { code: 'key-passphrase-missing' })
  const wrong = new KeyCipher(() => ['wrong'])
  t.throws(() => wrong.open(pem, 'x'), { code: 'key-passphrase-wrong' })
  t.false(wrong.opens(pem))
  t.true(cipher.opens(pem))
})

test('of several passphrases any opens, and the first encrypts', t => {
  const both = new KeyCipher(() => ['next', passphrase])
  t.deepEqual(Buffer.from(both.open(pem, 'x')), der)
  t.true(new KeyCipher(() => ['next']).opens(both.encrypt(der)))
  t.false(cipher.opens(both.encrypt(der)))
})

test('no two encryptions are alike, and a passphrase is stretched once for a directory', t => {
  const [first, second] = [cipher.encrypt(der), cipher.encrypt(der)].map(text =>
    parseEncryptedKey(parsePemBody(text)),
  )
  t.notDeepEqual(first?.iv, second?.iv)
  t.deepEqual(first?.salt, second?.salt)
  t.notDeepEqual(
    parseEncryptedKey(parsePemBody(new KeyCipher(() => [passphrase]).encrypt(der)))?.salt,
    first?.salt,
  )
})

test('OpenSSL opens the file, and this opens what OpenSSL made', t => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-cipher-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [file, secret] = [join(folder, 'key.pem'), join(folder, 'passphrase')]
  writeFileSync(file, pem)
  writeFileSync(secret, `${passphrase}\n`)
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const opened = openssl('pkey', '-in', file, '-passin', `file:${secret}`)
  t.true(createPrivateKey(opened).equals(key))
  writeFileSync(secret, 'wrong\n')
  t.throws(() => openssl('pkey', '-in', file, '-passin', `file:${secret}`))
  writeFileSync(secret, `${passphrase}\n`)
  writeFileSync(file, encodePlainKey(der))
  const ciphers = [['-v2', 'aes-256-cbc'], ['-scrypt'], ['-scrypt', '-scrypt_p', '5']]
  for (const how of ciphers) {
    const made = openssl('pkcs8', '-topk8', '-in', file, '-passout', `file:${secret}`, ...how)
    t.deepEqual(Buffer.from(cipher.open(made, 'x')), der, how.join(' '))
    const wrong = new KeyCipher(() => ['wrong'])
    t.throws(() => wrong.open(made, 'x'), { code: 'key-passphrase-wrong' })
  }
})

test('a plain key passes through, and what is no key is refused', t => {
  t.deepEqual(Buffer.from(cipher.open(encodePlainKey(der), 'x')), der)
  t.false(cipher.opens(encodePlainKey(der)))
  const begin = '-----BEGIN ENCRYPTED PRIVATE KEY-----\n'
  const end = '-----END ENCRYPTED PRIVATE KEY-----\n'
  for (const text of [
    '',
    'no key',
    `${begin}${end}`,
    `${begin}AAAA\n${end}`,
    `${begin}MAA=\n${end}`,
  ])
    t.throws(() => cipher.open(text, 'x'), { code: 'key-malformed' }, text)
})

test('a wrong passphrase whose padding looks right opens nothing', t => {
  // One in 256 does: as many files as it takes to meet some.
  const wrong = new KeyCipher(() => ['wrong'])
  for (let count = 0; count < 1_500; count += 1) t.false(wrong.opens(cipher.encrypt(der)))
})

test('an encrypted key is read to its last byte', t => {
  const parts = { salt: new Uint8Array(16), iv: new Uint8Array(16), ciphertext: new Uint8Array(32) }
  const bytes = encodeEncryptedKey(parts)
  const read = parseEncryptedKey(bytes)
  t.is(Buffer.from(read?.ciphertext ?? []).toString('hex'), '00'.repeat(32))
  t.throws(() => parseEncryptedKey(Buffer.concat([bytes, Uint8Array.of(0)])), {
    code: 'der-trailing',
  })
  t.throws(() => parseEncryptedKey(bytes.subarray(0, -1)), { code: 'der-short' })
})

test('the privacy key is a key of its own kind', t => {
  const bytes = new Uint8Array(32).fill(7)
  const sealed = cipher.encrypt(encodePrivacyKey(bytes))
  t.deepEqual(Buffer.from(parsePrivacyKey(cipher.open(sealed, 'x'), 'x')), Buffer.from(bytes))
  for (const other of [encodePrivacyKey(bytes.subarray(1)), der, Uint8Array.of(0x30, 0)])
    t.throws(() => parsePrivacyKey(other, 'x'), { code: 'key-malformed' })
})
