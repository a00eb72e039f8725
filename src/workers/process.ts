import { flushCompileCache } from 'node:module'
import { serveAsWorker } from '../worker.ts'

// The next one finds compiled what this one had to compile.
flushCompileCache()
serveAsWorker()
