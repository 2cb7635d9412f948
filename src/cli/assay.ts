#!/usr/bin/env node
import { loadEnvironment } from '../config.ts'
import { runCommandLine } from './run.ts'

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCommandLine(process.argv.slice(2), loadEnvironment(), process)
