import { runFake } from './fake-service.mjs'

await runFake('proxy')
