import type { AgentRecord, HostRecord } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** All hosts, in order of enrolment. */
export async function listHosts(service: Pick<Service, 'store'>): Promise<HostRecord[]> {
  return service.store.hosts.list()
}

/** @throws ServiceError `host-unknown` */
export async function findHost(service: Pick<Service, 'store'>, id: string): Promise<HostRecord> {
  const host = await service.store.hosts.find(id)
  if (host === undefined) throw new ServiceError('host-unknown', { found: id })
  return host
}

/** All agents, in order of creation. */
export async function listAgents(service: Pick<Service, 'store'>): Promise<AgentRecord[]> {
  return service.store.agents.list()
}
