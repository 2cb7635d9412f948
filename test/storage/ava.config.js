export default {
  extensions: ['ts'],
  files: ['test/storage/**/*.test.ts', 'test/core/log/*.test.ts'],
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
  timeout: '2m',
}
