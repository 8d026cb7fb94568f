import type { Client, Submittable } from 'pg'
import {
  ANALYSIS_PATH_QUERY,
  ANALYSIS_SETTINGS,
  ANALYSIS_TITLE,
  analyse,
  analysisPath,
  catalogueQueries,
  readCatalogue,
  readTree,
  TreeError,
  type Analysis,
  type AnalysisFailure,
  type Catalogue,
  type CatalogueAnswers,
  type TreeNode,
} from '@countersign/sql'

/*
 * What the proxy node does on its side connection, in the few lines that a test needs: the messages are those that
 * libs/sql describes (analysis-session.ts).
 */

export const loadCatalogue = async (client: Client): Promise<Catalogue> => {
  const answers: Record<string, string> = {}
  await client.query('SET jit = off')
  for (const [name, sql] of Object.entries(catalogueQueries)) {
    const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' })
    answers[name] = rows[0]?.[0] ?? ''
  }
  return readCatalogue(answers as CatalogueAnswers)
}

export class SideConnection {
  private readonly client: Client
  private notices: string[] = []
  private hasPath = true

  private constructor(client: Client) {
    this.client = client
    client.on('notice', ({ message, detail }) => {
      if (message === ANALYSIS_TITLE && detail) this.notices.push(detail)
    })
  }

  static async over(client: Client): Promise<SideConnection> {
    for (const setting of ANALYSIS_SETTINGS) await client.query(setting)
    return new SideConnection(client)
  }

  async path(schemas: readonly string[]): Promise<void> {
    await this.client.query(analysisPath(schemas))
    const { rows } = await this.client.query<[string[]]>({ text: ANALYSIS_PATH_QUERY, rowMode: 'array' })
    this.hasPath = JSON.stringify(rows[0]?.[0]) === JSON.stringify(schemas)
  }

  async trees(text: string): Promise<readonly TreeNode[] | AnalysisFailure> {
    this.notices = []
    const failure = await this.parse(text)
    return failure ?? this.notices.flatMap((notice) => readTree(notice))
  }

  async analyse(text: string, catalogue: Catalogue): Promise<Analysis | AnalysisFailure | undefined> {
    if (!this.hasPath) return undefined
    try {
      const trees = await this.trees(text)
      return 'sqlstate' in trees ? trees : analyse(trees, catalogue)
    } catch (error) {
      if (error instanceof TreeError) return undefined
      throw error
    }
  }

  private parse(text: string): Promise<AnalysisFailure | undefined> {
    return new Promise((resolve) => {
      const parse = {
        submit: (connection: Connection) => {
          connection.parse({ name: '', text, types: [] })
          connection.sync()
        },
        handleError: (error: { code?: string }) => resolve({ sqlstate: error.code ?? 'XX000' }),
        handleReadyForQuery: () => resolve(undefined),
      }
      this.client.query(parse as unknown as Submittable)
    })
  }
}

interface Connection {
  readonly parse: (query: { name: string; text: string; types: readonly number[] }) => void
  readonly sync: () => void
}
