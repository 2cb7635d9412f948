import test from 'ava'
import {
  decisionsOf,
  recordDecision,
  replayDecision,
} from '../../../src/core/authorization/replay.ts'
import { deciderOf, inputOf, permitAll } from './inputs.ts'

const decider = deciderOf(permitAll)
const record = recordDecision(1, inputOf(), decider.decide(inputOf()))

test('a decision is made again to the same answer, from its record alone', t => {
  t.like(record, { set: 1, outcome: 'allow', policies: ['all'] })
  t.true(replayDecision(decider, record).isSame)
})

test('a record names the grant request that was approved, where one was', t => {
  const answer = decider.decide(inputOf())
  t.is(recordDecision(1, inputOf(), answer, 'grant-1').grant, 'grant-1')
  t.false('grant' in record)
  t.true(replayDecision(decider, { ...record, grant: 'grant-1' }).isSame)
})

for (const [name, changes] of Object.entries({
  outcome: { outcome: 'deny' as const },
  policies: { policies: ['other'] },
  digest: { decision: 'x' },
  set: { set: 2 },
  input: { input: inputOf({ audience: 'https://other.example' }) },
}))
  test(`a record of another ${name} is found out`, t => {
    t.false(replayDecision(decider, { ...record, ...changes }).isSame)
  })

test('decisions are found in the entries that record them, however many', t => {
  const of = (type: string, detail: object): unknown => decisionsOf({ type, detail: { ...detail } })
  t.deepEqual(of('token.issued', { authorization: record }), [record])
  t.deepEqual(of('token.issued', { authorization: [record, record] }), [record, record])
  t.deepEqual(of('authorization.denied', record), [record])
  t.deepEqual(of('authorization.activated', { policy: 'sha256:x' }), [])
  t.deepEqual(of('host.revoked', {}), [])
})
