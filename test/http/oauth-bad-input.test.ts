import test from 'ava'
import { postForm, proofOf } from '../support/test-caller.ts'
import { begin, nested, tokenPath, type Header } from './oauth-stage.ts'

/** A request to an OAuth endpoint that is not in form. */
interface BadRequest {
  readonly name: string
  readonly paths: readonly string[]
  readonly headers?: readonly Header[]
  readonly body: string | Buffer
  readonly status: number
  readonly error: string
  readonly code: string | undefined
}

const formPaths = [tokenPath, '/oauth/introspect', '/oauth/revoke']
const formType: Header = ['Content-Type', 'application/x-www-form-urlencoded']
const form = 'grant_type=client_credentials&token=a.b.c'

const badRequests: readonly BadRequest[] = [
  {
    name: 'JSON in the place of a form',
    paths: formPaths,
    headers: [['Content-Type', 'application/json']],
    body: '{"grant_type":"client_credentials"}',
    status: 415,
    error: 'invalid_request',
    code: 'body-type',
  },
  {
    name: 'no type',
    paths: formPaths,
    headers: [],
    body: form,
    status: 415,
    error: 'invalid_request',
    code: 'body-type',
  },
  {
    name: 'two types',
    paths: formPaths,
    headers: [formType, formType],
    body: form,
    status: 415,
    error: 'invalid_request',
    code: 'body-type',
  },
  {
    name: 'a multipart form',
    paths: formPaths,
    headers: [['Content-Type', 'multipart/form-data; boundary=x']],
    body: '--x--',
    status: 415,
    error: 'invalid_request',
    code: 'body-type',
  },
  {
    name: 'more than 16 KiB',
    paths: formPaths,
    body: `${form}&x=${'x'.repeat(17_000)}`,
    status: 413,
    error: 'invalid_request',
    code: 'body-too-large',
  },
  {
    name: 'bytes that are no UTF-8',
    paths: formPaths,
    body: Buffer.from([...Buffer.from(form), 0x26, 0x61, 0x3d, 0xff, 0xfe]),
    status: 400,
    error: 'invalid_request',
    code: 'body-malformed',
  },
  {
    name: 'a form in UTF-16, whatever its type says',
    paths: formPaths,
    headers: [['Content-Type', `${formType[1]}; charset=utf-16`]],
    body: Buffer.from(`\ufeff${form}`, 'utf16le'),
    status: 400,
    error: 'invalid_request',
    code: 'body-malformed',
  },
  {
    name: 'a parameter twice',
    paths: formPaths,
    body: `${form}&token=a.b.c`,
    status: 400,
    error: 'invalid_request',
    code: 'body-malformed',
  },
  {
    name: 'grant_type twice',
    paths: [tokenPath],
    body: `${form}&grant_type=client_credentials`,
    status: 400,
    error: 'invalid_request',
    code: 'body-malformed',
  },
]

test('a body that is no form, or not one of ours, is refused with its own status', async t => {
  const { api, agent, operator } = await begin(t)
  for (const { name, paths, headers, body, status, error, code } of badRequests)
    for (const path of paths) {
      const key = path === '/oauth/introspect' ? operator.key : agent.key
      const proof: Header = ['DPoP', await proofOf(api, key, { method: 'POST', path })]
      const all = [...(headers ?? [formType]), proof]
      const answer = await api.send({ method: 'POST', path, headers: all, body })
      const facts = `${name} at ${path}: ${answer.text}`
      t.is(answer.status, status, facts)
      t.like(answer.json, { error, code }, facts)
    }
})

/** A form that is in order but for one thing; the answer to a client that proves its key. */
const forms: readonly (readonly [
  string,
  string,
  number,
  string | undefined,
  string | undefined,
])[] = [
  ['an unknown parameter, which is ignored', 'audience_hint=x&foo=%00', 200, undefined, undefined],
  [
    'a parameter without a value, which counts as not sent',
    'scope=&client_id=',
    200,
    undefined,
    undefined,
  ],
  [
    'a name of an object’s own, which is one like any',
    '__proto__=x&constructor=y',
    200,
    undefined,
    undefined,
  ],
  ['a NUL in a scope', 'scope=read%00', 400, 'invalid_scope', undefined],
  [
    'bytes that are no UTF-8 behind percent signs',
    'scope=read%FF',
    400,
    'invalid_scope',
    undefined,
  ],
  [
    'a NUL in a resource',
    'resource=https%3A%2F%2Fapi.example%2F%00',
    400,
    'invalid_target',
    undefined,
  ],
  [
    'another client’s id',
    'client_id=spiffe%3A%2F%2Fexample.org%2Fhost%2Fx',
    401,
    'invalid_client',
    undefined,
  ],
  [
    'details that are no JSON',
    'authorization_details=%5B',
    400,
    'invalid_authorization_details',
    undefined,
  ],
  [
    'details in which a member comes twice',
    `authorization_details=${encodeURIComponent('[{"type":"ticket","type":"ticket","actions":["read"]}]')}`,
    400,
    'invalid_authorization_details',
    undefined,
  ],
  [
    'details that are nested beyond any use',
    `authorization_details=${encodeURIComponent(nested(2_000))}`,
    400,
    'invalid_authorization_details',
    undefined,
  ],
  [
    'details nested in a member of theirs',
    `authorization_details=${encodeURIComponent(`[{"type":"ticket","actions":${nested(2_000)}}]`)}`,
    400,
    'invalid_authorization_details',
    undefined,
  ],
]

test('what is unknown or empty in a form is passed over, and what is wrong is said in OAuth’s words', async t => {
  const { api, agent } = await begin(t)
  for (const [name, more, status, error, code] of forms) {
    const proof = await proofOf(api, agent.key, { method: 'POST', path: tokenPath })
    const body = `grant_type=client_credentials&${more}`
    const answer = await postForm(api, tokenPath, body, [['DPoP', proof]])
    t.is(answer.status, status, `${name}: ${answer.text}`)
    t.is(answer.json['error'], error, `${name}: ${answer.text}`)
    t.is(answer.json['code'], code, `${name}: ${answer.text}`)
  }
})
