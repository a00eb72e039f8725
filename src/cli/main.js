import { keepCompiled } from './compile-cache.ts'

keepCompiled()
const { outliveReader } = await import('./terminal.ts')
const { runCommandLine } = await import('./command-line.ts')
outliveReader()
process.exitCode = await runCommandLine(process.argv)
