// Plain JavaScript, as `compile-cache.js` is: what is loaded before the cache is on would have its types stripped at
// every start, which takes longer than all that the shortest commands do.
import { keepCompiled } from './compile-cache.js'

keepCompiled()
const { outliveReader } = await import('./terminal.ts')
const { runCommandLine } = await import('./command-line.ts')
outliveReader()
process.exitCode = await runCommandLine(process.argv)
