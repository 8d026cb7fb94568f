import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { namedIn, packageOf } from './imports-of.ts'
import { ROOT } from './lint.ts'

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const readJson = <Shape>(path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Shape

const root = readJson<Manifest>('package.json')
const workspaces = globSync('{libs,services}/*/package.json', { cwd: ROOT })
  .sort()
  .map((path) => ({ folder: dirname(path), manifest: readJson<Manifest>(path) }))
const ours = workspaces.map(({ manifest }) => manifest.name)
const CODE = '*.{ts,mts,cts,js,mjs,cjs}'

/** Specs, what only they use, and scripts that are run by hand: nothing of them is there where the product runs. */
const isForTests = (file: string) => /\.spec\.ts$|(^|\/)(testing|fuzz)\/|^scripts\//.test(file)

const namesOf = (part: Readonly<Record<string, string>> | undefined) => Object.keys(part ?? {})

const importedBy = (folder: string, files: readonly string[]) =>
  new Set(files.flatMap((file) => namedIn(join(ROOT, folder, file)).imports).flatMap((name) => packageOf(name) ?? []))

describe.each(workspaces)('$manifest.name', ({ folder, manifest }) => {
  const files = globSync(`{src,bin,scripts}/**/${CODE}`, { cwd: join(ROOT, folder) })
  const product = files.filter((file) => !isForTests(file))
  const tests = files.filter(isForTests)
  const dependencies = [...namesOf(manifest.dependencies), ...namesOf(manifest.optionalDependencies)]

  it('imports nothing that its package.json does not name', () => {
    const allowed = [
      ...dependencies,
      manifest.name,
      ...(basename(folder) === 'testing' ? namesOf(root.devDependencies) : []),
    ]
    expect([...importedBy(folder, product)].filter((name) => !allowed.includes(name))).toEqual([])
  })

  it('imports in tests nothing that no package.json names', () => {
    const allowed = [...dependencies, ...namesOf(manifest.devDependencies), ...namesOf(root.devDependencies), ...ours]
    expect([...importedBy(folder, tests)].filter((name) => !allowed.includes(name))).toEqual([])
  })

  it('names nothing in its package.json that it does not use', () => {
    const texts = product.flatMap((file) => namedIn(join(ROOT, folder, file)).texts)
    const peers = namesOf(manifest.dependencies).flatMap((name) =>
      namesOf(readJson<Manifest>(`node_modules/${name}/package.json`).peerDependencies),
    )
    const unused = [
      ...namesOf(manifest.dependencies).filter((name) => !peers.includes(name) && !texts.some(mentions(name))),
      ...namesOf(manifest.optionalDependencies).filter((name) => !texts.some(begins(name))),
    ]
    const unusedByTests = namesOf(manifest.devDependencies).filter((name) => !importedBy(folder, tests).has(name))
    expect([...unused, ...unusedByTests]).toEqual([])
  })
})

const built = workspaces.filter(({ folder }) => existsSync(join(ROOT, folder, 'tsconfig.json')))

describe.each(built)('$manifest.name, as it is built', ({ folder, manifest }) => {
  it('waits for what it depends on, and for nothing else', () => {
    const { references = [] } = readJson<{ references?: { path: string }[] }>(`${folder}/tsconfig.json`)
    const awaited = references.map(({ path }) => `@countersign/${basename(path)}`)
    expect(awaited.sort()).toEqual(
      namesOf(manifest.dependencies)
        .filter((name) => ours.includes(name))
        .sort(),
    )
  })
})

describe('what belongs to no package', () => {
  it('imports nothing that the package.json at the top, or one nearer to it, does not name', () => {
    const files = globSync([`{test,scripts}/**/${CODE}`, CODE], { cwd: ROOT, exclude: ['**/node_modules/**'] })
    expect(files.length).toBeGreaterThan(20)
    const unnamed = files.flatMap((file) => {
      const allowed = [...namesOf(root.devDependencies), ...ours, ...namesNear(file)]
      return [...importedBy('.', [file])].filter((name) => !allowed.includes(name)).map((name) => ({ file, name }))
    })
    expect(unnamed).toEqual([])
  })
})

/** A client under test has a package.json of its own. */
const namesNear = (file: string): readonly string[] => {
  const own = join(dirname(file), 'package.json')
  return own !== 'package.json' && existsSync(join(ROOT, own)) ? namesOf(readJson<Manifest>(own).dependencies) : []
}

const mentions = (name: string) => (text: string) => text === name || text.startsWith(`${name}/`)

/** Which of several packages is there depends on the platform: its name is completed at run time. */
const begins = (name: string) => (text: string) => mentions(name)(text) || (text.endsWith('/') && name.startsWith(text))
