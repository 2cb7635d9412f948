import test from 'ava'
import type { PKCS11, Template } from 'pkcs11js'
import { CKA, CKO } from '../../src/hsm/pkcs11-constants.ts'
import { destroyKey } from '../../src/hsm/pkcs11-object.ts'
import { parsePkcs11Uri } from '../../src/hsm/pkcs11-uri.ts'

const session = Buffer.from('session')
const uri = parsePkcs11Uri('pkcs11:token=ca;object=key?module-path=/lib/x.so')
const p256 = Buffer.from('06082a8648ce3d030107', 'hex')

interface FakeObject {
  readonly handle: string
  readonly class: number
  readonly id: number
  readonly point: Uint8Array
}

function pointOf(octet: number): Uint8Array {
  return Uint8Array.of(4, ...new Uint8Array(64).fill(octet))
}

/** A module that holds objects, finds them by class and id, and forgets what is destroyed. */
function createModule(objects: readonly FakeObject[]) {
  const left = new Map(objects.map(object => [object.handle, object]))
  let found: Buffer[] = []
  const module = {
    C_FindObjectsInit: (_: unknown, template: Template) => {
      const wanted = (type: number): unknown => template.find(row => row.type === type)?.value
      const id = wanted(CKA.ID) as Buffer | undefined
      found = [...left.values()]
        .filter(object => object.class === wanted(CKA.CLASS))
        .filter(object => id === undefined || id[0] === object.id)
        .map(({ handle }) => Buffer.from(handle))
    },
    C_FindObjects: () => found,
    C_FindObjectsFinal: () => undefined,
    C_GetAttributeValue: (_: unknown, handle: Buffer, [row]: Template) => {
      const object = left.get(handle.toString())
      const values: Record<number, Buffer> = {
        [CKA.ID]: Buffer.from([object?.id ?? 0]),
        [CKA.EC_PARAMS]: p256,
        [CKA.EC_POINT]: Buffer.concat([Buffer.from([4, 65]), object?.point ?? Buffer.alloc(65)]),
      }
      return [{ type: row?.type ?? 0, value: values[row?.type ?? 0] ?? Buffer.alloc(0) }]
    },
    C_DestroyObject: (_: unknown, handle: Buffer) => left.delete(handle.toString()),
  }
  return { module: module as unknown as PKCS11, left }
}

const pair = (name: string, id: number, octet: number): FakeObject[] => [
  { handle: `private-${name}`, class: CKO.PRIVATE_KEY, id, point: pointOf(octet) },
  { handle: `public-${name}`, class: CKO.PUBLIC_KEY, id, point: pointOf(octet) },
]

test('the key of a point goes with its public half, and nothing else does', t => {
  const { module, left } = createModule([
    ...pair('a', 1, 1),
    { handle: 'public-b', class: CKO.PUBLIC_KEY, id: 2, point: pointOf(2) },
  ])
  destroyKey(module, session, { ...uri, point: pointOf(1) })
  t.deepEqual([...left.keys()], ['public-b'])
})

test('the key of another point stays', t => {
  const { module, left } = createModule(pair('a', 1, 1))
  destroyKey(module, session, { ...uri, point: pointOf(9) })
  t.is(left.size, 2)
})

test('of two keys with one name none is destroyed, whichever is meant', t => {
  for (const octet of [1, 2]) {
    const { module, left } = createModule([...pair('a', 1, 1), ...pair('b', 1, 2)])
    t.throws(() => destroyKey(module, session, { ...uri, point: pointOf(octet) }), {
      code: 'pkcs11-key-ambiguous',
    })
    t.is(left.size, 4)
  }
})
