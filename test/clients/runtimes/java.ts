import { globSync } from 'node:fs'
import { join } from 'node:path'
import { installed, step } from '../installed.ts'
import { clientFile, type Program } from './program.ts'

const REMEDY = 'install a JDK 17 or newer and Maven (Debian: apt-get install openjdk-17-jdk-headless maven)'
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** A program in Java, compiled from the client's src/ against what its pom.xml names. */
export const javaProgram = async (client: string, main: string): Promise<Program> => {
  const pom = clientFile(`${client}/pom.xml`)
  const folder = await installed(client, [pom], (folder) => {
    const goal = [COPY_DEPENDENCIES, '-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'jars')}`]
    return step(`${REMEDY}; jars come from Maven Central`, 'mvn', ['-q', '-B', '-f', pom, ...goal])
  })
  const classes = join(folder, 'classes')
  const jars = join(folder, 'jars', '*')
  await step(REMEDY, 'javac', [
    '-nowarn',
    '-d',
    classes,
    '-cp',
    jars,
    ...globSync(clientFile(`${client}/src/**/*.java`)),
  ])
  return { command: 'java', args: ['-Xshare:auto', '-Duser.timezone=UTC', '-cp', `${classes}:${jars}`, main] }
}
