import { CodedError } from '../src/core/coded-error.ts'
import type { ErrorFacts, ErrorRow } from '../src/core/coded-error.ts'

/** What can go wrong with emulated hardware. */
export type EmulatorErrorCode =
  | 'emulator-program-missing'
  | 'emulator-failed'
  | 'emulator-not-listening'
  | 'emulator-path-too-long'
  | 'emulator-refused'
  | 'softhsm-missing'

const table: Readonly<Record<EmulatorErrorCode, ErrorRow>> = {
  'emulator-program-missing': {
    summary: 'A program of the software TPM is not installed.',
    hint: 'apt-get install swtpm swtpm-tools',
  },
  'emulator-failed': {
    summary: 'A program of the emulated hardware ended with an error.',
    hint: 'read what it wrote, above',
  },
  'emulator-not-listening': {
    summary: 'The software TPM did not begin to listen.',
    hint: 'see whether another swtpm uses the same state directory',
  },
  'emulator-path-too-long': {
    summary: 'The path of the socket is longer than a Unix socket allows.',
    hint: 'use a directory with a shorter path: sun_path holds 107 octets, and ".ctrl" is appended',
  },
  'emulator-refused': {
    summary: 'The emulated TPM refused the command, as a TPM would.',
    hint: 'the credential is for another endorsement key or another object',
  },
  'softhsm-missing': {
    summary: 'SoftHSM is not installed.',
    hint: 'apt-get install softhsm2',
  },
}

/** A failure of emulated hardware: always of the test bench, never of what is tested on it. */
export class EmulatorError extends CodedError<EmulatorErrorCode> {
  constructor(code: EmulatorErrorCode, facts?: ErrorFacts) {
    super(code, table[code], facts)
  }
}
