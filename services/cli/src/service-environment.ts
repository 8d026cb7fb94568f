/** What the command line reads from the environment. Services refuse a COUNTERSIGN_ variable that they do not know. */
const OURS = ['COUNTERSIGN_API', 'COUNTERSIGN_TOKEN']

export const serviceEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.includes(name)))
