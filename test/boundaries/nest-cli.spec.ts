import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from './lint.ts'

interface Project {
  readonly type: 'application' | 'library'
  readonly root: string
  readonly sourceRoot: string
  readonly entryFile: string
  readonly compilerOptions: { readonly tsConfigPath: string }
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const { projects, ...first } = JSON.parse(read('nest-cli.json')) as Omit<Project, 'type'> & {
  readonly projects: Readonly<Record<string, Project>>
}
const namesOf = (type: Project['type']) =>
  Object.entries(projects).flatMap(([name, project]) => (project.type === type ? [name] : []))

describe('nest-cli.json', () => {
  it('lists every library, and every service that is a Nest application', () => {
    const nest = globSync('services/*/package.json', { cwd: ROOT }).filter((path) =>
      read(path).includes('@nestjs/core'),
    )
    expect(namesOf('application').sort()).toEqual(nest.map((path) => basename(dirname(path))).sort())
    expect(namesOf('library').sort()).toEqual(globSync('*', { cwd: join(ROOT, 'libs') }).sort())
  })

  it.each([...Object.entries(projects), ['the first', first] as const])('says where things are: %s', (_, project) => {
    const { root, sourceRoot, entryFile, compilerOptions } = project
    expect([sourceRoot, compilerOptions.tsConfigPath].every((path) => path.startsWith(`${root}/`))).toBe(true)
    const paths = [`${sourceRoot}/${entryFile}.ts`, compilerOptions.tsConfigPath]
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })
})
