import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { Answer } from '../../src/attester/answer.ts'
import { readCertificateChain } from '../../src/attester/certificate-chain.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { createTestAuthority } from '../support/test-authority.ts'

function refuses(t: ExecutionContext, read: () => unknown, place: RegExp): void {
  const error = t.throws(read, { instanceOf: AttesterError })
  t.is(error.code, 'answer-malformed')
  t.regex(error.expected ?? '', place)
}

const answer = new Answer(
  {
    text: 'a text',
    empty: '',
    id: 'abc_DEF-123',
    octets: 'AAECAw',
    number: 17,
    list: [1, 'two'],
    inner: { text: 'inside' },
    nothing: null,
  },
  'answer',
)

test('gives members of the kind that was promised', t => {
  t.is(answer.text('text'), 'a text')
  t.is(answer.id('id'), 'abc_DEF-123')
  t.deepEqual([...answer.octets('octets', 4)], [0, 1, 2, 3])
  t.is(answer.number('number'), 17)
  t.deepEqual(answer.list('list', String), ['1', 'two'])
  t.is(answer.within('inner').text('text'), 'inside')
  t.is(answer.raw('nothing'), null)
})

test('names the member that is missing or of another kind', t => {
  refuses(t, () => answer.text('absent'), /^answer\.absent: a text/)
  refuses(t, () => answer.text('empty'), /^answer\.empty/)
  refuses(t, () => answer.text('number'), /^answer\.number/)
  refuses(t, () => answer.id('text'), /^answer\.text: an identifier/)
  refuses(t, () => answer.octets('octets', 5), /at least 5 octets/)
  refuses(t, () => answer.octets('text'), /base64url/)
  refuses(t, () => answer.list('inner', String), /a list/)
  refuses(t, () => answer.within('nothing'), /^answer\.nothing: an object/)
  refuses(t, () => answer.within('inner').text('absent'), /^answer\.inner\.absent/)
})

test('refuses numbers that are not whole, negative or beyond what is exact', t => {
  for (const number of [-1, 0.5, Number.NaN, 2 ** 53, '1']) {
    refuses(t, () => new Answer({ number }, 'answer').number('number'), /whole number/)
  }
  t.is(new Answer({ number: 0 }, 'answer').number('number'), 0)
})

test('refuses identifiers that would lead out of a path or a file name', t => {
  for (const id of ['../up', 'a/b', 'a.json', '', 'a'.repeat(65), 'ä']) {
    refuses(t, () => new Answer({ id }, 'answer').id('id'), /answer\.id/)
  }
})

test('refuses what is no object at all', t => {
  for (const value of [undefined, null, 'text', 1, [], true]) {
    refuses(t, () => new Answer(value, 'answer'), /^answer: an object/)
  }
})

test('takes a chain whose first certificate is for the key, and no other', async t => {
  const { chain } = await createTestAuthority('example.org', new Date())
  const certificates = chain.map(each => new X509Certificate(each))
  const certificateChain = certificates.map(String)
  const key = certificates[0]?.publicKey
  if (key === undefined) throw new Error('an authority has a chain')
  t.deepEqual(
    readCertificateChain(new Answer({ certificateChain }, 'answer'), key),
    certificateChain,
  )
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  refuses(
    t,
    () => readCertificateChain(new Answer({ certificateChain }, 'answer'), publicKey),
    /this key/,
  )
  for (const broken of [[], ['no certificate'], [7], undefined]) {
    const read = (): unknown =>
      readCertificateChain(new Answer({ certificateChain: broken }, 'answer'), key)
    refuses(t, read, /answer\.certificateChain|this key/)
  }
})
