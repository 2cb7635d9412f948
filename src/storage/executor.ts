import type { OperationAnswer, OperationArguments, OperationName } from './operations/operations.ts'

/** Runs operations, each in a transaction of its own that is durable when the promise resolves. */
export interface Executor {
  /** Rejects with `StoreError` and nothing else. */
  execute<Name extends OperationName>(
    name: Name,
    ...values: OperationArguments<Name>
  ): Promise<OperationAnswer<Name>>
  /** Lets what was accepted finish, then gives everything back. */
  close(): Promise<void>
}
