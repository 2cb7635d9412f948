import test from 'ava'
import {
  actorsOf,
  isDelegation,
  maxActors,
  mayAct,
  nestActor,
  type ActorClaim,
} from '../../../src/core/token/delegation.ts'

const parent = { client_id: 'spiffe://a/agent/x/1', jti: 'one', cnf: { jkt: 'key' } }

function parentsOf(count: number): object[] {
  return Array.from({ length: count }, () => parent)
}

function chainOf(depth: number): ActorClaim | undefined {
  let act: ActorClaim | undefined
  for (let at = 0; at < depth; at += 1) act = nestActor(`actor-${at}`, act)
  return act
}

test('a chain names its actors, the newest first', t => {
  t.deepEqual(actorsOf({}), [])
  t.deepEqual(actorsOf({ act: nestActor('c', nestActor('b', undefined)) }), ['c', 'b'])
  t.deepEqual(nestActor('b', undefined), { sub: 'b' })
  t.deepEqual(nestActor('c', { sub: 'b' }), { sub: 'c', act: { sub: 'b' } })
})

test('a token without may_act lets nobody act, one with it whom it names', t => {
  const issuer = 'https://assay.example'
  t.false(mayAct({}, 'b', issuer))
  t.true(mayAct({ may_act: { sub: 'b' } }, 'b', issuer))
  t.true(mayAct({ may_act: { sub: 'b', iss: issuer } }, 'b', issuer))
  t.false(mayAct({ may_act: { sub: 'c' } }, 'b', issuer))
  t.false(mayAct({ may_act: { sub: 'b', iss: 'https://other.example' } }, 'b', issuer))
  t.false(mayAct({ may_act: { sub: 'b', email: 'b@example.org' } as never }, 'b', issuer))
})

test('as many parents as actors, and no more than may be', t => {
  t.true(isDelegation({}))
  for (let depth = 0; depth <= maxActors; depth += 1)
    t.true(isDelegation({ act: chainOf(depth), parents: parentsOf(depth) }), `${depth}`)
  const long = maxActors + 1
  t.false(isDelegation({ act: chainOf(long), parents: parentsOf(long) }))
})

for (const [name, claims] of [
  ['actors without parents', { act: { sub: 'b' } }],
  ['parents without actors', { parents: [parent] }],
  ['an actor that is no object', { act: 'b', parents: [parent] }],
  ['an actor that is null', { act: null, parents: [parent] }],
  ['an actor that is a list', { act: [], parents: [parent] }],
  ['an actor without a name', { act: {}, parents: [parent] }],
  ['an earlier actor without a name', { act: { sub: 'c', act: {} }, parents: [parent, parent] }],
  ['parents that are no list', { act: { sub: 'b' }, parents: parent }],
  ['a parent that is no object', { act: { sub: 'b' }, parents: ['x'] }],
  ['a parent without a token', { act: { sub: 'b' }, parents: [{ ...parent, jti: 1 }] }],
  ['a parent without a holder', { act: { sub: 'b' }, parents: [{ ...parent, client_id: 1 }] }],
  ['a parent that is bound to nothing', { act: { sub: 'b' }, parents: [{ ...parent, cnf: {} }] }],
  ['may_act that is no object', { may_act: 'b' }],
  ['may_act without a name', { may_act: {} }],
] as const) {
  test(`refuses ${name}`, t => {
    t.true(isDelegation({ act: { sub: 'b' }, parents: [parent], may_act: { sub: 'c' } }))
    t.false(isDelegation(claims))
  })
}
