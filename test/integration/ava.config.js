// Real parts: each file starts its own swtpm, SoftHSM or service. Native addons do not run in worker threads.
export default {
  extensions: ['ts'],
  files: ['test/integration/**/*.test.ts'],
  workerThreads: false,
  concurrency: 2,
  timeout: '10m',
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
}
