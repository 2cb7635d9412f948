import test from 'ava'
import { BodyBudget } from '../../src/http/body-budget.ts'

test('no network holds more than its part, and all together no more than the total', t => {
  const budget = new BodyBudget({ total: 100, each: 60 })
  t.true(budget.take('192.0.2.1', 60))
  t.false(budget.take('192.0.2.1', 1))
  t.true(budget.take('192.0.2.2', 40))
  t.false(budget.take('192.0.2.3', 1))
})

test('what is given back can be taken again', t => {
  const budget = new BodyBudget({ total: 100, each: 60 })
  t.true(budget.take('192.0.2.1', 60))
  budget.release('192.0.2.1', 20)
  t.false(budget.take('192.0.2.1', 21))
  t.true(budget.take('192.0.2.1', 20))
  budget.release('192.0.2.1', 60)
  t.true(budget.take('192.0.2.2', 60))
  t.true(budget.take('192.0.2.1', 40))
})

test('an IPv6 network has one part, however many addresses it uses', t => {
  const budget = new BodyBudget({ total: 100, each: 60 })
  t.true(budget.take('2001:db8::1', 60))
  t.false(budget.take('2001:db8::2', 1))
})
