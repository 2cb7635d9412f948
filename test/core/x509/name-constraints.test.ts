import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { verifyPath } from '../../../src/core/x509/path.ts'
import { distinguishedName, oids } from '../../../swtpm/emulated/certificate.ts'
import { authority, both, leaf, now, root, withExtension } from './fixtures.ts'

const text = (n: number) => (value: string) => der.implicitPrimitive(n, Buffer.from(value))
const [email, dns, uri] = [text(1), text(2), text(6)]
const ip = (...octets: number[]): Uint8Array => der.implicitPrimitive(7, Uint8Array.from(octets))
const directory = (commonName: string): Uint8Array =>
  der.contextConstructed(4, distinguishedName(commonName))
const other = der.contextConstructed(
  0,
  der.objectIdentifier('1.2.3'),
  der.contextConstructed(0, der.sequence()),
)

interface Subtrees {
  readonly permitted?: readonly Uint8Array[]
  readonly excluded?: readonly Uint8Array[]
}

function constraints({ permitted = [], excluded = [] }: Subtrees): Uint8Array {
  const trees = [permitted, excluded].flatMap((names, n) =>
    names.length === 0 ? [] : [der.contextConstructed(n, ...names.map(name => der.sequence(name)))],
  )
  return der.sequence(...trees)
}

/** Whether an end entity with this alternative name holds below an authority with these constraints. */
function holds(subtrees: Subtrees, name: Uint8Array, critical = true): boolean {
  const constrained = authority(
    'Constrained',
    withExtension('2.5.29.30', { critical, value: constraints(subtrees) }),
  )
  const value = der.sequence(name)
  const end = leaf(
    both(
      parts => ({ ...parts, subject: distinguishedName() }),
      withExtension(oids.subjectAlternativeName, { critical: true, value }),
    ),
    constrained,
  )
  try {
    verifyPath({
      leaf: end,
      intermediates: [parseCertificate(constrained.certificate)],
      anchors: [parseCertificate(root.certificate)],
      time: now,
    })
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'path-name-constraints') return false
    throw error
  }
}

const cases: readonly (readonly [string, Subtrees, Uint8Array, boolean])[] = [
  ['a host below the domain', { permitted: [dns('example.com')] }, dns('a.b.example.com'), true],
  ['the domain itself', { permitted: [dns('example.com')] }, dns('EXAMPLE.com'), true],
  [
    'a host whose name only ends the same',
    { permitted: [dns('example.com')] },
    dns('badexample.com'),
    false,
  ],
  [
    'a host outside of one domain but inside another',
    { permitted: [dns('a.com'), dns('b.com')] },
    dns('x.b.com'),
    true,
  ],
  [
    'an excluded host',
    { permitted: [dns('a.com')], excluded: [dns('x.a.com')] },
    dns('y.x.a.com'),
    false,
  ],
  ['a wildcard inside the domain', { permitted: [dns('example.com')] }, dns('*.example.com'), true],
  [
    'a wildcard wider than the domain',
    { permitted: [dns('a.example.com')] },
    dns('*.example.com'),
    false,
  ],
  [
    'a wildcard that covers an excluded host',
    { excluded: [dns('a.example.com')] },
    dns('*.example.com'),
    false,
  ],
  [
    'a name of a kind that is not constrained',
    { permitted: [ip(10, 0, 0, 0, 255, 0, 0, 0)] },
    dns('a.com'),
    true,
  ],
  [
    'an address inside the network',
    { permitted: [ip(10, 0, 0, 0, 255, 0, 0, 0)] },
    ip(10, 1, 2, 3),
    true,
  ],
  [
    'an address outside of the network',
    { permitted: [ip(10, 0, 0, 0, 255, 0, 0, 0)] },
    ip(11, 1, 2, 3),
    false,
  ],
  [
    'an address of the other family',
    { permitted: [ip(10, 0, 0, 0, 255, 0, 0, 0)] },
    ip(...Array.from({ length: 16 }, () => 10)),
    false,
  ],
  [
    'a mailbox by its whole name',
    { permitted: [email('a@example.com')] },
    email('a@EXAMPLE.com'),
    true,
  ],
  [
    'a mailbox that differs in case',
    { permitted: [email('a@example.com')] },
    email('A@example.com'),
    false,
  ],
  ['a mailbox at the host', { permitted: [email('example.com')] }, email('a@example.com'), true],
  [
    'a mailbox below the host',
    { permitted: [email('example.com')] },
    email('a@b.example.com'),
    false,
  ],
  [
    'a mailbox below the domain',
    { permitted: [email('.example.com')] },
    email('a@b.example.com'),
    true,
  ],
  [
    'a URI at the host',
    { permitted: [uri('example.com')] },
    uri('https://u:p@example.com:8443/x?y'),
    true,
  ],
  [
    'a URI below the domain',
    { permitted: [uri('.example.com')] },
    uri('spiffe://a.example.com/x'),
    true,
  ],
  [
    'a URI of another host in its path',
    { permitted: [uri('example.com')] },
    uri('https://evil.com/@example.com'),
    false,
  ],
  ['a URI without a host', { permitted: [uri('example.com')] }, uri('urn:example.com'), false],
  ['a URI of an address', { excluded: [uri('example.com')] }, uri('https://[::1]/'), false],
  ['a URI of another address', { excluded: [uri('example.com')] }, uri('https://10.0.0.1/'), false],
  [
    'a URI of a host that is not excluded',
    { excluded: [uri('example.com')] },
    uri('https://example.org/'),
    true,
  ],
  ['a directory name below another', { permitted: [directory('a')] }, directory('A'), true],
  ['another directory name', { permitted: [directory('a')] }, directory('b'), false],
  ['an excluded directory name', { excluded: [directory('a')] }, directory('a'), false],
  ['a name of a kind that cannot be compared', { excluded: [other] }, other, false],
]

for (const [what, subtrees, name, expected] of cases) {
  test(`${expected ? 'accepts' : 'refuses'} ${what}`, t => {
    t.is(holds(subtrees, name), expected)
  })
}

test('refuses constraints that are not critical', t => {
  t.false(holds({ permitted: [dns('example.com')] }, dns('example.com'), false))
})

test('refuses constraints in an end entity', t => {
  const value = constraints({ permitted: [dns('example.com')] })
  const end = leaf(withExtension('2.5.29.30', { critical: true, value }), root)
  const anchors = [parseCertificate(root.certificate)]
  t.throws(() => verifyPath({ leaf: end, intermediates: [], anchors, time: now }), {
    code: 'path-name-constraints',
  })
})

test('the address in a subject counts where there is no other', t => {
  const mailbox = der.sequence(
    der.objectIdentifier('1.2.840.113549.1.9.1'),
    der.tlv(0x16, Buffer.from('a@b.c')),
  )
  const constrained = authority(
    'Constrained',
    withExtension('2.5.29.30', {
      critical: true,
      value: constraints({ excluded: [email('b.c')] }),
    }),
  )
  const end = leaf(parts => ({ ...parts, subject: der.sequence(der.setOf(mailbox)) }), constrained)
  const intermediates = [parseCertificate(constrained.certificate)]
  const anchors = [parseCertificate(root.certificate)]
  t.throws(() => verifyPath({ leaf: end, intermediates, anchors, time: now }), {
    code: 'path-name-constraints',
  })
})

test('refuses more comparisons than are made', t => {
  const many = Array.from({ length: 1000 }, (_, n) => dns(`${n}.example`))
  const constrained = authority(
    'Constrained',
    withExtension('2.5.29.30', { critical: true, value: constraints({ permitted: many }) }),
  )
  const end = leaf(
    withExtension(oids.subjectAlternativeName, { value: der.sequence(...many) }),
    constrained,
  )
  const intermediates = [parseCertificate(constrained.certificate)]
  const anchors = [parseCertificate(root.certificate)]
  t.throws(() => verifyPath({ leaf: end, intermediates, anchors, time: now }), {
    code: 'path-name-constraints',
  })
})
