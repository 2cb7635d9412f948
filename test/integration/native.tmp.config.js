export default {
  extensions: ['ts'],
  files: ['test/integration/**/*.test.ts'],
  workerThreads: false,
  concurrency: 2,
  timeout: '4m',
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
}
