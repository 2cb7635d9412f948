import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { vendorQuirks } from '../../../src/core/ek/quirks.ts'
import { oids, type CertificateEdit } from '../../../swtpm/emulated/certificate.ts'
import { tpmNames } from '../../../swtpm/emulated/manufacturer.ts'
import { both, withExtension } from '../x509/fixtures.ts'
import { createMaker, oaepSpki, refusalOf, rsaKey, verify, type Maker } from './fixtures.ts'

/** Every quirk is within its time then; certificates are a year older. */
const time = Date.UTC(2016, 6, 1)
const makers = new Map<string, Maker>()

function makerOf(vendor: string): Maker {
  const maker = makers.get(vendor) ?? createMaker(vendor, time)
  makers.set(vendor, maker)
  return maker
}

/** Names in one relative name, out of the order of DER. */
function unsortedNames(vendor: string, model: string): Uint8Array {
  const attributes = (
    [
      ['2.23.133.2.3', 'id:1'],
      ['2.23.133.2.2', model],
      ['2.23.133.2.1', vendor],
    ] as const
  )
    .map(([oid, text]) => der.sequence(der.objectIdentifier(oid), der.utf8String(text)))
    .toSorted((a, b) => Buffer.compare(b, a))
  return der.sequence(der.contextConstructed(4, der.sequence(der.tlv(0x31, ...attributes))))
}

/** How a certificate comes to need each tolerance, and what it is refused for without. */
const needs: Readonly<
  Record<string, { edit: (vendor: string, model: string) => CertificateEdit; code: string }>
> = {
  'unsorted-set': {
    edit: (vendor, model) =>
      withExtension(oids.subjectAlternativeName, { value: unsortedNames(vendor, model) }),
    code: 'path-encoding',
  },
  'encoded-default': {
    edit: () =>
      withExtension(oids.basicConstraints, { value: der.sequence(Uint8Array.of(1, 1, 0)) }),
    code: 'path-encoding',
  },
  'padded-bits': {
    edit: () => withExtension(oids.keyUsage, { value: Uint8Array.of(3, 2, 0, 0x20) }),
    code: 'path-encoding',
  },
  'key-identifier-absent': {
    edit: () => withExtension(oids.authorityKeyIdentifier, undefined),
    code: 'path-encoding',
  },
  'key-usage-absent': { edit: () => withExtension(oids.keyUsage, undefined), code: 'ek-key-usage' },
  'oaep-key': {
    edit: () => parts => ({ ...parts, spki: oaepSpki(rsaKey.publicKey) }),
    code: 'ek-key',
  },
}

/** A model of the row, as its certificates write it. */
const modelOf = (models: RegExp | undefined): string =>
  ['NPCT650', 'ST33ZP24', 'any'].find(model => models?.test(model) !== false) ?? 'any'

for (const quirk of vendorQuirks) {
  const need = needs[quirk.tolerance]
  const model = modelOf(quirk.models)

  const run = (vendor: string, changes: { model?: string; notBefore?: number } = {}) => {
    const named = changes.model ?? model
    const edit = both(
      withExtension(oids.subjectAlternativeName, { value: tpmNames(vendor, named) }),
      need?.edit(vendor, named) ?? (parts => parts),
      parts => ({ ...parts, notBefore: changes.notBefore ?? parts.notBefore }),
    )
    return verify(
      edit,
      { now: new Date(Math.max(time, changes.notBefore ?? 0)) },
      rsaKey,
      makerOf(vendor),
    )
  }

  test(`tolerates ${quirk.name}, and names it in the verdict`, t => {
    t.deepEqual(run(quirk.vendor).quirks, [quirk.name])
  })

  test(`tolerates ${quirk.name} of no other vendor`, t => {
    t.is(
      refusalOf(() => run('id:00001014')),
      need?.code,
    )
  })

  test(`tolerates ${quirk.name} of no certificate issued later`, t => {
    const notBefore = quirk.issuedBefore
    // The maker's own certificates last nine years; a quirk that lasts longer is looked at below a younger maker.
    if (notBefore > time + 8 * 365 * 86_400_000)
      makers.set(quirk.vendor, createMaker(quirk.vendor, notBefore))
    t.is(
      refusalOf(() => run(quirk.vendor, { notBefore })),
      need?.code,
    )
    makers.delete(quirk.vendor)
  })

  if (quirk.models !== undefined) {
    test(`tolerates ${quirk.name} of no other model`, t => {
      t.is(
        refusalOf(() => run(quirk.vendor, { model: 'XYZ' })),
        need?.code,
      )
    })
  }
}

test('every tolerance is used by a row, and rows have names of their own', t => {
  const used = new Set(vendorQuirks.map(({ tolerance }) => tolerance as string))
  t.deepEqual([...used].toSorted(), Object.keys(needs).toSorted())
  t.is(new Set(vendorQuirks.map(({ name }) => name)).size, vendorQuirks.length)
})

test('an rsaesOaep key is the same TPM as its rsaEncryption twin', t => {
  const maker = makerOf('id:53544D20')
  const named = withExtension(oids.subjectAlternativeName, {
    value: tpmNames('id:53544D20', 'ST33ZP24'),
  })
  const oaep = both(named, parts => ({ ...parts, spki: oaepSpki(rsaKey.publicKey) }))
  const now = new Date(time)
  t.is(
    verify(oaep, { now }, rsaKey, maker).spkiSha256,
    verify(named, { now }, rsaKey, maker).spkiSha256,
  )
})
