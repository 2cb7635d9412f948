import { createHash } from 'node:crypto'
import test from 'ava'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import {
  encodeTpmtPublic,
  nameAlgorithm,
  nameOf,
  parseTpmtPublic,
  qualifiedNameOf,
  type Hierarchy,
  type TpmtPublic,
} from '../../../src/core/tpm/public.ts'
import { eccArea, formatErrorOf, octets, rsaArea } from './structures.ts'

const rsaBytes = encodeTpmtPublic(rsaArea)
const eccBytes = encodeTpmtPublic(eccArea)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('a Name is the algorithm and the hash of the public area', t => {
  const sha384 = createHash('sha384').update(eccBytes).digest('hex')
  t.is(hex(nameOf(eccBytes)), `000c${sha384}`)
  const sha256 = createHash('sha256').update(rsaBytes).digest('hex')
  t.is(hex(nameOf(rsaBytes)), `000b${sha256}`)
})

test('a Name can be built with SHA-1, so that it can be refused by that word', t => {
  const bytes = encodeTpmtPublic({ ...eccArea, nameAlg: TPM_ALG.SHA1 })
  t.is(nameOf(bytes).length, 22)
  t.false(nameAlgorithm(parseTpmtPublic(bytes)).strong)
})

test('no Name is built with an unknown hash: 0x010b is not SHA-256', t => {
  for (const nameAlg of [0, 0x010b, 0x0012, 0x0027]) {
    const bytes = encodeTpmtPublic({ ...eccArea, nameAlg })
    t.is(
      formatErrorOf(() => nameOf(bytes)),
      'structure-value',
    )
  }
})

test('a Qualified Name is the hash over what stands above and the Name', t => {
  const name = nameOf(eccBytes)
  const handles: Record<Hierarchy, string> = {
    owner: '40000001',
    null: '40000007',
    endorsement: '4000000b',
    platform: '4000000c',
  }
  for (const [hierarchy, handle] of Object.entries(handles)) {
    const digest = createHash('sha384')
      .update(Buffer.from(handle, 'hex'))
      .update(name)
      .digest('hex')
    t.is(hex(qualifiedNameOf(hierarchy as Hierarchy, name)), `000c${digest}`)
  }
  const parent = qualifiedNameOf('owner', nameOf(rsaBytes))
  const digest = createHash('sha384').update(parent).update(name).digest('hex')
  t.is(hex(qualifiedNameOf(parent, name)), `000c${digest}`)
})

test('a Qualified Name of something that is no Name is refused', t => {
  t.is(
    formatErrorOf(() => qualifiedNameOf('owner', new Uint8Array())),
    'structure-value',
  )
  t.is(
    formatErrorOf(() => qualifiedNameOf('owner', octets('name', 34))),
    'structure-value',
  )
})

test('keyed hashes, symmetric keys and unknown types are no public areas that are read', t => {
  for (const type of [0x0008, 0x0025, 0, 0x0101]) {
    const bytes = encodeTpmtPublic({ ...eccArea, type } as unknown as TpmtPublic)
    t.is(
      formatErrorOf(() => parseTpmtPublic(bytes)),
      'structure-value',
    )
  }
})

test('schemes and symmetric algorithms that do not go with the type are refused', t => {
  const wrong: TpmtPublic[] = [
    { ...rsaArea, scheme: { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 } },
    { ...eccArea, scheme: { scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256 } },
    { ...eccArea, symmetric: { algorithm: 0x0026, keyBits: 128, mode: TPM_ALG.CFB } },
    // XOR, as a weak endorsement key would name it.
    { ...eccArea, symmetric: { algorithm: 0x000a, keyBits: 128, mode: TPM_ALG.CFB } },
  ]
  for (const area of wrong)
    t.is(
      formatErrorOf(() => parseTpmtPublic(encodeTpmtPublic(area))),
      'structure-value',
    )
})

test('every scheme of its type is read', t => {
  const rsa = [TPM_ALG.RSASSA, TPM_ALG.RSAPSS, TPM_ALG.OAEP]
  const ecc = [TPM_ALG.ECDSA, TPM_ALG.ECDH, TPM_ALG.SM2, TPM_ALG.ECSCHNORR, TPM_ALG.ECMQV]
  for (const scheme of rsa) read({ ...rsaArea, scheme: { scheme, hash: TPM_ALG.SHA256 } })
  for (const scheme of ecc) read({ ...eccArea, scheme: { scheme, hash: TPM_ALG.SHA256 } })
  function read(area: TpmtPublic): void {
    t.deepEqual(parseTpmtPublic(encodeTpmtPublic(area)).scheme, area.scheme)
  }
})
