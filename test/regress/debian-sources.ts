import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/*
 * The machine's own Debian archives, as sources of source packages as well: most machines have those switched off.
 */

const FOLDER = '/etc/apt'

/**
 * Writes a list of them into `folder`, of these releases of Debian in the place of its own. Returns options with which
 * apt-get uses that list, and nothing else.
 */
export const sourceOptions = (folder: string, releases: readonly string[] = []): readonly string[] => {
  const oneLine: string[] = []
  const stanzas: string[] = []
  for (const { name, text } of lists()) {
    if (name.endsWith('.sources'))
      stanzas.push(
        ...text
          .split(/\n\s*\n/)
          .filter(isDebian)
          .map(withSources),
      )
    else oneLine.push(...text.split('\n').filter((line) => /^deb\s/.test(line) && isDebian(line)))
  }
  const lines = oneLine.flatMap((line) => ofReleases(line, /^(deb(?: \[.*?\])? \S+) \S+/, releases))
  const written = stanzas.flatMap((stanza) => ofReleases(stanza, /^(Suites:).*$/m, releases))
  writeFileSync(
    join(folder, 'debian.list'),
    lines.flatMap((line) => [line, line.replace(/^deb/, 'deb-src'), '']).join('\n'),
  )
  writeFileSync(join(folder, 'debian.sources'), `${written.join('\n\n')}\n`)
  return [
    ['Dir::Etc::SourceList', '/dev/null'],
    ['Dir::Etc::SourceParts', folder],
    ['Dir::State::Lists', join(folder, 'lists')],
    ['APT::Sandbox::User', 'root'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

const lists = (): readonly { name: string; text: string }[] => {
  const parts = join(FOLDER, 'sources.list.d')
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []
  return [join(FOLDER, 'sources.list'), ...names]
    .filter((name) => existsSync(name) && /\.(list|sources)$/.test(name))
    .map((name) => ({ name, text: readFileSync(name, 'utf8') }))
}

/** Security updates are another archive, which has not every release. */
const ofReleases = (text: string, where: RegExp, releases: readonly string[]): readonly string[] => {
  if (releases.length === 0) return [text]
  return text.includes('debian-security') ? [] : releases.map((release) => text.replace(where, `$1 ${release}`))
}

const isDebian = (text: string): boolean => /:\/\/\S*\/debian(-security)?\/?(\s|$)/m.test(text)

const withSources = (stanza: string): string => stanza.replace(/^Types:.*$/m, 'Types: deb deb-src')
