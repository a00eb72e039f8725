import { keepCompiled } from '../cli/compile-cache.ts'

keepCompiled()
const { serveAsWorker } = await import('../worker.ts')
serveAsWorker()
