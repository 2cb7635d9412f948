import type { ChallengeStore } from '../ports/certificate-store.ts'
import type { AgentClassStore, AgentStore } from '../ports/store.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { encodeAgent, parseAgent } from './records/agent.ts'
import { encodeAgentClass, parseAgentClass } from './records/agent-class.ts'
import { encodeChallenge, parseChallenge } from './records/challenge.ts'
import { encodeClientKey } from './records/client-key.ts'

/** The `AgentClassStore` of any database. */
export function createAgentClassStore(db: Executor): AgentClassStore {
  return {
    create: async (agentClass, entry) =>
      await db.execute('createAgentClass', encodeAgentClass(agentClass), encodeEntry(entry)),
    find: async name => {
      const row = await db.execute('findAgentClass', name)
      return row && parseAgentClass(row)
    },
    list: async () => (await db.execute('listAgentClasses')).map(parseAgentClass),
  }
}

/** The `AgentStore` of any database. */
export function createAgentStore(db: Executor): AgentStore {
  return {
    create: async (agent, challenge, entry) => {
      const row = encodeChallenge(challenge)
      return await db.execute('createAgent', encodeAgent(agent), row, encodeEntry(entry))
    },
    find: async id => {
      const row = await db.execute('findAgent', id)
      return row && parseAgent(row)
    },
    list: async () => (await db.execute('listAgents')).map(parseAgent),
    bindKey: async (id, key, entry, hsmKey = null) => {
      const row = encodeClientKey(key, 'agent', id)
      return await db.execute(
        'bindAgentKey',
        id,
        row,
        { at: entry.time, hsmKey },
        encodeEntry(entry),
      )
    },
  }
}

/** The `ChallengeStore` of any database. */
export function createChallengeStore(db: Executor): ChallengeStore {
  return {
    create: async (challenge, entry) =>
      await db.execute('createChallenge', encodeChallenge(challenge), encodeEntry(entry)),
    find: async (use, now) => {
      const found = await db.execute('findChallenge', use, now)
      return typeof found === 'string' ? found : parseChallenge(found)
    },
    take: async (use, now) => {
      const taken = await db.execute('takeChallenge', use, now)
      return typeof taken === 'string' ? taken : parseChallenge(taken)
    },
    refuse: async (use, now, entry) =>
      await db.execute('refuseChallenge', use, now, encodeEntry(entry)),
  }
}
