// The service of a bench, as `assay serve` runs it, in a process of its own: told to say what it has cost so far.
import { startService } from '../../src/main.ts'

/** What the service is asked. */
export type ServiceOrder = 'cpu' | 'stop'

/** Where it listens, once; the CPU time of all its threads so far, in microseconds, each time it is asked. */
export type ServiceReport = { readonly port: number } | { readonly cpuMicroseconds: number }

const [dataDirectory = ''] = process.argv.slice(2)
const service = await startService({
  dataDirectory,
  log: {
    report: (level, facts, message) => {
      if (level === 'error') console.error(message, facts)
    },
  },
})

function report(value: ServiceReport): void {
  process.send?.(value)
}

process.on('message', (order: ServiceOrder) => {
  const { user, system } = process.cpuUsage()
  if (order === 'cpu') report({ cpuMicroseconds: user + system })
  else void service.stop().then(() => process.disconnect())
})
process.on('disconnect', () => void service.stop())
report({ port: service.address.port })
