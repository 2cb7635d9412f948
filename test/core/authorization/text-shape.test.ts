import { formatPolicies } from '@cedar-policy/cedar-wasm/nodejs'
import test from 'ava'
import { AuthorizationError } from '../../../src/core/authorization/error.ts'
import { canonicalPolicies } from '../../../src/core/authorization/policy-set.ts'
import { splitFlat } from '../../../src/core/authorization/text-shape.ts'
import { starterPolicies } from '../../support/test-policies.ts'
import { deciderOf, inputOf, setOf } from './inputs.ts'

const head = 'permit (principal, action, resource)'
const policy = (condition: string, id = 'a'): string =>
  `@id("${id}") ${head} when { ${condition} };`
const nested = (levels: number): string => `${'('.repeat(levels)}true${')'.repeat(levels)}`
const joined = (count: number): string => Array(count).fill('true').join(' && ')
const listed = (count: number): string => `[${Array(count).fill('1').join(',')}].contains(1)`

const flat: readonly (readonly [string, string])[] = [
  ['brackets up to the bound', policy(nested(49))],
  ['operators up to the bound', policy(joined(501))],
  ['ifs up to the bound', policy(`${'if true then true else '.repeat(100)}true`)],
  ['brackets in strings', policy(`"${'('.repeat(100)}\\"(" like "*"`)],
  ['brackets in comments', policy(`true // ${'['.repeat(100)}\n`)],
  ['many policies', [policy(nested(49)), policy(nested(49), 'b')].join('\n')],
  ['many policies with operators', [policy(joined(400)), policy(joined(400), 'b')].join('\n')],
  ['many policies with lists', [policy(listed(1_200)), policy(listed(1_200), 'b')].join('\n')],
  ['nothing', ''],
]

for (const [name, text] of flat)
  test(`a text with ${name} goes to the engine`, t => {
    t.notThrows(() => splitFlat(text))
  })

const deep: readonly (readonly [string, string])[] = [
  ['one bracket too many', policy(nested(50))],
  ['thousands of brackets', policy(nested(5_000))],
  ['brackets of every kind that stay open', policy('[({'.repeat(20))],
  ['one operator too many', policy(`!${joined(501)}`)],
  ['thousands of operators', policy(joined(20_000))],
  ['thousands of members of members', policy(`context${'.a'.repeat(5_000)}`)],
  ['one if too many', policy(`${'if true then true else '.repeat(101)}true`)],
  ['thousands of ifs', policy(`${'if true then true else '.repeat(5_000)}true`)],
  ['brackets behind a string that has no end in sight', policy(`"x\\"" == ${'{a:'.repeat(60)}1`)],
  [
    'brackets behind a comment that a carriage return ends',
    policy(`true //\r && ${nested(3_000)}`),
  ],
  ['brackets behind others that close nothing', `${')'.repeat(3_000)} ${policy(nested(3_000))}`],
  ['a semicolon between brackets', policy(`${'(;'.repeat(60)}true`)],
  ['thousands of clauses', `@id("a") ${head} ${'when {true} '.repeat(3_000)};`],
  ['thousands of annotations', `${'@a("x") '.repeat(3_000)} ${head};`],
  ['a path of thousands of names', policy(`${'A::'.repeat(3_000)}"x" == principal`)],
  ['a list of thousands', policy(listed(10_000))],
]

for (const [name, text] of deep)
  test(`a text with ${name} is refused, and the engine decides on`, t => {
    const decider = deciderOf(policy('true'))
    for (const read of [canonicalPolicies, setOf])
      t.is(
        t.throws(() => read(text), { instanceOf: AuthorizationError }).code,
        'authorization-size',
      )
    t.is(decider.decide(inputOf()).outcome, 'allow')
    t.is(deciderOf(canonicalPolicies(policy('true'))).decide(inputOf()).outcome, 'allow')
  })

test('a text is split behind each policy, with the comments that belong to it', t => {
  const text = `// one\n${policy('";" == "//"')} // behind it\n\n// two\n${policy('{a: 1} == {}', 'b')}\n// last\n`
  const parts = splitFlat(text)
  t.deepEqual(
    parts.map(part => part.trim()),
    [
      `// one\n${policy('";" == "//"')} // behind it`,
      `// two\n${policy('{a: 1} == {}', 'b')}`,
      '// last',
    ],
  )
  t.is(parts.join('').trim(), text.trim())
  t.deepEqual(splitFlat(' \n'), [])
})

test('formatted one by one policies read as formatted at once', t => {
  const second = `@id("b") forbid (principal,action,resource); // behind\n`
  const texts = [
    starterPolicies,
    `// heading\n${policy('true')} // behind\n// own line\n\n// heading\n${second}`,
    '// nothing\n',
    `${policy('true')}\n\n\n\n// a\n\n\n// b\n${second}`,
  ]
  for (const policyText of texts) {
    const whole = formatPolicies({ policyText, lineWidth: 100, indentWidth: 2 })
    if (whole.type === 'failure') throw new Error('not formatted')
    const text = canonicalPolicies(policyText)
    t.is(text, `${whole.formatted_policy.trim()}\n`)
    t.is(canonicalPolicies(text), text)
    t.is(
      canonicalPolicies(canonicalPolicies(`${text}// last`)),
      canonicalPolicies(`${text}// last`),
    )
  }
})

test('what the bounds let through, the engine takes', t => {
  const widest = [
    policy(nested(49), 'brackets'),
    policy(`${'if true then true else '.repeat(100)}true`, 'ifs'),
    policy(listed(1_200), 'list'),
    `@id("clauses") ${head} ${'when {true} '.repeat(600)};`,
  ].join('\n')
  t.is(deciderOf(canonicalPolicies(widest)).decide(inputOf()).outcome, 'allow')
})

test('a set of a thousand flat policies is read, and decides', t => {
  const policies = Array.from({ length: 1_000 }, (_, n) => {
    const condition = `context.scopes.contains("s${n}") && principal.riskScore < 90`
    return `@id("p${n}") permit (principal is Agent, action, resource) when { ${condition} };`
  })
  const decider = deciderOf(canonicalPolicies(policies.join('\n')))
  t.is(decider.set.policies.length, 1_000)
  const asking = (scope: string): string => decider.decide(inputOf({}, { scopes: [scope] })).outcome
  t.is(asking('s999'), 'allow')
  t.is(asking('s1000'), 'deny')
})
