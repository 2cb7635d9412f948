import test from 'ava'
import { generateKeyPairSync } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate, type Certificate } from '../../../src/core/x509/certificate.ts'
import { verifyPath, type PathInput } from '../../../src/core/x509/path.ts'
import {
  createAuthority,
  distinguishedName,
  oids,
  type CertificateEdit,
  type EmulatedAuthority,
} from '../../../swtpm/emulated/certificate.ts'
import {
  authority,
  both,
  intermediate,
  leaf,
  leafParts,
  now,
  root,
  signAs,
  withExtension,
  year,
} from './fixtures.ts'

const parsed = (which: EmulatedAuthority): Certificate => parseCertificate(which.certificate)
const anchors = [parsed(root)]

function verify(input: Partial<PathInput> = {}): ReturnType<typeof verifyPath> {
  return verifyPath({
    leaf: leaf(),
    intermediates: [parsed(intermediate)],
    anchors,
    time: now,
    ...input,
  })
}

/** A path through an intermediate that was changed. */
function through(
  edit: CertificateEdit,
  input: Partial<PathInput> = {},
): ReturnType<typeof verifyPath> {
  const changed = authority('Changed', edit)
  return verify({ leaf: leaf(undefined, changed), intermediates: [parsed(changed)], ...input })
}

test('accepts a path through the intermediate, whatever else lies beside it', t => {
  const stranger = createAuthority('Stranger', now)
  const path = verify({ intermediates: [parsed(stranger), parsed(root), parsed(intermediate)] })
  t.deepEqual(
    path.certificates.map(({ fields }) => fields.subject.keys.length),
    [1, 1, 1],
  )
  t.is(path.anchor.fingerprint, parsed(root).fingerprint)
  t.deepEqual(path.tolerated, [])
})

test('accepts an end entity right below the anchor', t => {
  t.is(verify({ leaf: leaf(undefined, root), intermediates: [] }).certificates.length, 2)
})

test('ends at the first anchor, also at one that is no root', t => {
  const path = verify({ anchors: [parsed(intermediate)], intermediates: [] })
  t.is(path.certificates.length, 2)
})

const code = {
  issuer: { code: 'path-issuer' },
  signature: { code: 'path-signature' },
  authority: { code: 'path-authority' },
  keyUsage: { code: 'path-key-usage' },
  key: { code: 'path-key' },
  extension: { code: 'path-extension' },
  validity: { code: 'path-validity' },
  length: { code: 'path-length' },
  algorithm: { code: 'path-algorithm' },
  encoding: { code: 'path-encoding' },
  budget: { code: 'path-budget' },
} as const

test('refuses a path that lacks its intermediate or its anchor', t => {
  t.throws(() => verify({ intermediates: [] }), code.issuer)
  t.throws(() => verify({ anchors: [] }), code.issuer)
  t.throws(() => verify({ anchors: [parsed(createAuthority('Stranger', now))] }), code.issuer)
})

test('refuses an anchor of the same name with another key', t => {
  const impostor = createAuthority('Test root', now)
  const withoutHint = authority('Hintless', withExtension(oids.authorityKeyIdentifier, undefined))
  const hints = [parsed(withoutHint)]
  t.throws(
    () =>
      verify({
        leaf: leaf(undefined, withoutHint),
        intermediates: hints,
        anchors: [parsed(impostor)],
      }),
    code.signature,
  )
  t.throws(() => verify({ anchors: [parsed(impostor)] }), code.issuer)
})

test('refuses an end entity that was changed after it was signed', t => {
  const bytes = Buffer.from(leaf().fields.encoded)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  t.throws(() => verify({ leaf: parseCertificate(bytes) }), code.signature)
})

test('refuses a self-signed end entity, and one that is its own hint', t => {
  const own = createAuthority('Test leaf', now)
  t.throws(() => verify({ leaf: parsed(own), intermediates: [parsed(own)] }), code.issuer)
})

test('refuses an issuer that is no authority, or does not say so critically', t => {
  const basic = (value: Uint8Array, critical = true): CertificateEdit =>
    withExtension(oids.basicConstraints, { value, critical })
  const isAuthority = der.sequence(der.booleanTrue)
  t.notThrows(() => through(basic(isAuthority)))
  t.throws(() => through(basic(der.sequence())), code.authority)
  t.throws(() => through(basic(isAuthority, false)), code.authority)
  t.throws(() => through(withExtension(oids.basicConstraints, undefined)), code.authority)
})

test('refuses an end entity as issuer', t => {
  const signer = { ...intermediate, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
  const asIssuer = leaf(parts => ({
    ...parts,
    spki: signer.publicKey.export({ format: 'der', type: 'spki' }),
  }))
  const below = leaf(undefined, { ...signer, name: asIssuer.fields.subject.encoded })
  t.throws(
    () => verify({ leaf: below, intermediates: [asIssuer, parsed(intermediate)] }),
    code.authority,
  )
})

test('refuses an authority without a name', t => {
  const nameless = authority('Nameless', parts => ({ ...parts, subject: distinguishedName() }))
  const below = leaf(undefined, { ...nameless, name: distinguishedName() })
  t.throws(() => verify({ leaf: below, intermediates: [parsed(nameless)] }), code.authority)
})

test('refuses an authority that may not sign certificates, or does not say', t => {
  t.notThrows(() => through(withExtension(oids.keyUsage, { value: der.namedBits(0x04) })))
  t.throws(
    () => through(withExtension(oids.keyUsage, { value: der.namedBits(0x02) })),
    code.keyUsage,
  )
  t.throws(() => through(withExtension(oids.keyUsage, undefined)), code.keyUsage)
})

test('refuses an end entity that may sign certificates without being an authority', t => {
  const both32 = withExtension(oids.keyUsage, { value: der.namedBits(0x84) })
  t.throws(() => verify({ leaf: leaf(both32) }), code.keyUsage)
})

test('refuses a critical extension that is not known, wherever in the path', t => {
  const unknown = withExtension('1.3.6.1.4.1.99999.1', { critical: true, value: der.sequence() })
  const known = withExtension('1.3.6.1.4.1.99999.1', { critical: false, value: der.sequence() })
  t.notThrows(() => verify({ leaf: leaf(known) }))
  t.throws(() => verify({ leaf: leaf(unknown) }), code.extension)
  t.notThrows(() => through(known))
  t.throws(() => through(unknown), code.extension)
  const strange = createAuthority('Strange root', now, undefined, unknown)
  t.throws(
    () => verify({ leaf: leaf(undefined, strange), anchors: [parsed(strange)] }),
    code.extension,
  )
})

test('refuses an end entity without a name whose alternative name is absent or not critical', t => {
  const value = der.sequence(der.implicitPrimitive(2, Buffer.from('example.com')))
  const named = (critical: boolean): CertificateEdit =>
    both(
      parts => ({ ...parts, subject: distinguishedName() }),
      withExtension(oids.subjectAlternativeName, { value, critical }),
    )
  t.notThrows(() => verify({ leaf: leaf(named(true)) }))
  t.throws(() => verify({ leaf: leaf(named(false)) }), code.extension)
  t.throws(
    () => verify({ leaf: leaf(parts => ({ ...parts, subject: distinguishedName() })) }),
    code.extension,
  )
})

test('holds every certificate to the time that is given, to the second', t => {
  const ends = parseCertificate(leaf().fields.encoded).fields.notAfter
  t.notThrows(() => verify({ time: ends + 999 }))
  t.throws(() => verify({ time: ends + 1000 }), code.validity)
  t.throws(() => verify({ time: leaf().fields.notBefore - 1 }), code.validity)
  t.notThrows(() => verify({ time: leaf().fields.notBefore }))
  t.throws(() => through(parts => ({ ...parts, notAfter: now - 1000 })), code.validity)
  t.throws(() => through(parts => ({ ...parts, notBefore: now + 1000 })), code.validity)
  const past = createAuthority('Past', now - 20 * year)
  t.throws(() => verify({ leaf: leaf(undefined, past), anchors: [parsed(past)] }), code.validity)
})

test('the end entity alone can be held to another time', t => {
  const past = leaf(parts => ({ ...parts, notAfter: now - 1000 }))
  t.throws(() => verify({ leaf: past }), code.validity)
  t.notThrows(() => verify({ leaf: past, leafTime: now - 2000 }))
})

function limited(
  commonName: string,
  pathLength: number,
  parent: EmulatedAuthority,
): EmulatedAuthority {
  const value = der.sequence(der.booleanTrue, der.smallInteger(pathLength))
  return authority(commonName, withExtension(oids.basicConstraints, { value }), parent)
}

test('refuses a path longer than an authority of it allows', t => {
  const first = limited('First', 0, root)
  t.notThrows(() => verify({ leaf: leaf(undefined, first), intermediates: [parsed(first)] }))
  const second = authority('Second', undefined, first)
  const intermediates = [parsed(first), parsed(second)]
  t.throws(() => verify({ leaf: leaf(undefined, second), intermediates }), code.length)
})

test('an authority further down cannot widen the limit', t => {
  const first = limited('First', 1, root)
  const second = limited('Second', 9, first)
  const third = authority('Third', undefined, second)
  const intermediates = [first, second, third].map(parsed)
  t.notThrows(() => verify({ leaf: leaf(undefined, second), intermediates }))
  t.throws(() => verify({ leaf: leaf(undefined, third), intermediates }), code.length)
})

test('refuses more authorities between anchor and end entity than the limit of the caller', t => {
  t.notThrows(() => verify({ maxIntermediates: 1 }))
  t.throws(() => verify({ maxIntermediates: 0 }), code.length)
})

test('refuses SHA-1 and unknown algorithms, with the right signature too', t => {
  const parts = leafParts()
  const sha1 = parseCertificate(signAs('ecdsa-with-SHA1', parts, intermediate.privateKey))
  t.throws(() => verify({ leaf: sha1 }), code.algorithm)
  const sha384 = parseCertificate(signAs('ecdsa-with-SHA384', parts, intermediate.privateKey))
  t.notThrows(() => verify({ leaf: sha384 }))
})

test('refuses an algorithm of another kind than the issuer’s key', t => {
  const mixed = parseCertificate(
    signAs('sha256WithRSAEncryption', leafParts(), intermediate.privateKey),
  )
  t.throws(() => verify({ leaf: mixed }), code.signature)
})

function rsaAuthority(modulusLength: number, publicExponent = 65_537): [Certificate, Certificate] {
  const keys = generateKeyPairSync('rsa', { modulusLength, publicExponent })
  const spki = keys.publicKey.export({ format: 'der', type: 'spki' })
  const issuer = authority('RSA', parts => ({ ...parts, spki }))
  const parts = leafParts({ ...issuer, publicKey: intermediate.publicKey })
  const unhinted = withExtension(oids.authorityKeyIdentifier, {
    value: der.sequence(
      der.implicitPrimitive(
        0,
        parsed(issuer).fields.extensions.subjectKeyIdentifier ?? new Uint8Array(),
      ),
    ),
  })(parts)
  return [
    parseCertificate(signAs('sha256WithRSAEncryption', unhinted, keys.privateKey)),
    parsed(issuer),
  ]
}

test('refuses an authority whose RSA key is too short, of an odd length, or has a small exponent', t => {
  const path = ([end, issuer]: [Certificate, Certificate]): void => {
    verify({ leaf: end, intermediates: [issuer] })
  }
  t.notThrows(() => path(rsaAuthority(2048)))
  t.throws(() => path(rsaAuthority(1024)), code.key)
  t.throws(() => path(rsaAuthority(2052)), code.key)
  t.throws(() => path(rsaAuthority(2048, 3)), code.key)
})

test('refuses a path without key identifiers, unless that is tolerated below this anchor', t => {
  const bare = leaf(withExtension(oids.authorityKeyIdentifier, undefined))
  t.throws(() => verify({ leaf: bare }), code.encoding)
  const path = verify({ leaf: bare, tolerances: () => new Set(['key-identifier-absent'] as const) })
  t.deepEqual(path.tolerated, ['key-identifier-absent'])
  t.throws(() => through(withExtension(oids.subjectKeyIdentifier, undefined)), code.encoding)
})

test('finds the one way that holds among several that do not', t => {
  const expired = createAuthority('Twice', now, root, parts => ({ ...parts, notAfter: now - 1000 }))
  const spki = expired.publicKey.export({ format: 'der', type: 'spki' })
  const renewed = authority(
    'Twice',
    both(
      parts => ({ ...parts, spki }),
      withExtension(oids.subjectKeyIdentifier, {
        value: der.octetString(
          parsed(expired).fields.extensions.subjectKeyIdentifier ?? new Uint8Array(),
        ),
      }),
    ),
  )
  const end = leaf(undefined, expired)
  t.notThrows(() => verify({ leaf: end, intermediates: [parsed(expired), parsed(renewed)] }))
  t.throws(() => verify({ leaf: end, intermediates: [parsed(expired)] }), code.validity)
})

test('authorities that certify each other lead nowhere, and end', t => {
  const one = createAuthority('One', now)
  const two = createAuthority('Two', now, one)
  const back = createAuthority('One', now, two)
  const end = leaf(undefined, two)
  t.throws(() => verify({ leaf: end, intermediates: [one, two, back].map(parsed) }), code.issuer)
})

test('ends with a refusal where the hints allow more paths than are tried', t => {
  const same = Array.from({ length: 70 }, () =>
    authority(
      'Crowd',
      both(withExtension(oids.subjectKeyIdentifier, { value: der.octetString(Uint8Array.of(1)) })),
    ),
  )
  const [first] = same
  const end = leaf(
    withExtension(oids.authorityKeyIdentifier, {
      value: der.sequence(der.implicitPrimitive(0, Uint8Array.of(1))),
    }),
    { ...intermediate, name: first?.name ?? intermediate.name },
  )
  t.throws(() => verify({ leaf: end, intermediates: same.map(parsed) }), code.budget)
})
