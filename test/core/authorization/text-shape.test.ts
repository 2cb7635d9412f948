import test from 'ava'
import { AuthorizationError } from '../../../src/core/authorization/error.ts'
import { canonicalPolicies } from '../../../src/core/authorization/policy-set.ts'
import { requireFlat } from '../../../src/core/authorization/text-shape.ts'
import { setOf } from './inputs.ts'

const policy = (condition: string, id = 'a'): string =>
  `@id("${id}") permit (principal, action, resource) when { ${condition} };`
const nested = (levels: number): string => `${'('.repeat(levels)}true${')'.repeat(levels)}`

test('brackets and operators of one policy are bounded, whatever stands in strings and comments', t => {
  t.notThrows(() => requireFlat(policy(nested(48))))
  t.notThrows(() => requireFlat(policy(Array(500).fill('true').join(' && '))))
  t.notThrows(() =>
    requireFlat(policy(`"${'('.repeat(100)}\\"(" like "*" // ${'['.repeat(100)}\n`)),
  )
  t.notThrows(() => requireFlat([policy(nested(48)), policy(nested(48), 'b')].join('\n')))
  for (const condition of [
    nested(51),
    `${'['.repeat(60)}1`,
    Array(502).fill('true').join(' && '),
    `context${'.a'.repeat(1_001)}`,
    `${'if true then true else '.repeat(101)}true`,
    `"unfinished ${nested(1)}" == ${'{a:'.repeat(51)}1`,
  ]) {
    const refused = t.throws(() => requireFlat(policy(condition)), {
      instanceOf: AuthorizationError,
    })
    t.is(refused.code, 'authorization-size')
  }
})

test('a text that would take the engine down is refused, and the engine goes on', t => {
  const read = (text: string): unknown => setOf(canonicalPolicies(text))
  for (const condition of [nested(300), '['.repeat(1_000), 'true && '.repeat(20_000)])
    t.is(
      t.throws(() => read(policy(condition)), { instanceOf: AuthorizationError }).code,
      'authorization-size',
    )
  t.notThrows(() => read(policy('true')))
})
