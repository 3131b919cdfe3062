// Prisma with the engine that its npm package carries (WebAssembly, over a driver
// adapter): the native one would be downloaded from elsewhere.
import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from 'prisma/config'

// The engine's limit of ten seconds for its lock outlives the lock, and so do idle
// connections: every command would wait for both.
const timeout = globalThis.setTimeout
globalThis.setTimeout = (call, ms, ...args) => {
  const timer = timeout(call, ms, ...args)
  return ms === 10000 ? timer.unref() : timer
}

const pool = { connectionString: process.env.DATABASE_URL, allowExitOnIdle: true }

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'schema.prisma',
  migrations: { path: process.env.MIGRATIONS },
  adapter: async () => new PrismaPg(pool, { schema: 'public' }),
})
