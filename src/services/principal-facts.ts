import type { Verdict } from '../core/appraisal/verdict.ts'
import type {
  AgentFacts,
  ClassFacts,
  HostFacts,
  OperatorFacts,
  PrincipalFacts,
} from '../core/authorization/decision-input.ts'
import type { AgentClassRecord, HostRecord, OperatorRecord, Principal } from '../ports/records.ts'
import type { Marks } from './marks.ts'

/** Of a host's record what its facts are made of. */
export type HostStanding = Pick<
  HostRecord,
  'id' | 'name' | 'assurance' | 'attestedAt' | 'attestationResult'
>

/** What of the marks and the moment facts depend on. */
interface Moment {
  readonly marks: Marks
  /** Unix milliseconds. */
  readonly now: number
}

/** What policies see of a principal. */
export function principalFacts(principal: Principal, moment: Moment): PrincipalFacts {
  if (principal.kind === 'host') return hostFacts(principal.host, moment)
  if (principal.kind === 'operator') return operatorFacts(principal.operator, moment)
  return agentFacts(principal, moment)
}

/** What policies see of a host: its verified claims, and what operators wrote down. */
export function hostFacts(host: HostStanding, { marks, now }: Moment): HostFacts {
  return {
    kind: 'host',
    id: host.id,
    name: host.name,
    assurance: host.assurance,
    ...claimsOf(host),
    appraisedAt: host.attestedAt,
    labels: marks.labelsOf(host.id),
    riskScore: marks.riskOf('host', host.id, now),
  }
}

type HostClaims = Pick<HostFacts, 'manufacturer' | 'firmware' | 'secureBoot' | 'status'>

const claims = new WeakMap<HostStanding, HostClaims>()

/** A verdict is long, and read once for each record. */
function claimsOf(host: HostStanding): HostClaims {
  let known = claims.get(host)
  if (known === undefined) {
    const { status, platform, boot } = JSON.parse(host.attestationResult) as Partial<Verdict>
    known = {
      manufacturer: platform?.vendor ?? null,
      firmware: platform?.firmwareVersion ?? null,
      secureBoot: boot?.secureBoot ?? null,
      status: status ?? 'none',
    }
    claims.set(host, known)
  }
  return known
}

function operatorFacts(operator: OperatorRecord, { marks, now }: Moment): OperatorFacts {
  const { id, name, role, keyProtection } = operator
  const riskScore = marks.riskOf('operator', id, now)
  return { kind: 'operator', id, name, role, keyProtection, riskScore }
}

function classFacts(agentClass: AgentClassRecord, { marks, now }: Moment): ClassFacts {
  const { name, owner, environment, sensitivity, audiences, scopes } = agentClass
  const riskScore = marks.riskOf('class', name, now)
  return { name, owner, environment, sensitivity, audiences, scopes, riskScore }
}

/** An agent is at the risk of whatever it is part of. */
function agentFacts(agent: Extract<Principal, { kind: 'agent' }>, moment: Moment): AgentFacts {
  const { id } = agent.agent
  const own = moment.marks.riskOf('agent', id, moment.now)
  const ofClass = classFacts(agent.agentClass, moment)
  const host = hostFacts(agent.host, moment)
  const riskScore = Math.max(own, ofClass.riskScore, host.riskScore)
  return { kind: 'agent', id, class: ofClass, host, riskScore }
}
