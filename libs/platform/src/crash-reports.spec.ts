import { expect, it } from 'vitest'
import { keepEnvironmentOutOfReports } from './crash-reports.ts'

it('keeps the environment out of diagnostic reports', () => {
  process.env['COUNTERSIGN_DATABASES_0_UPSTREAM_ROLES_APP'] = 'hunter2-hunter2'
  try {
    expect(JSON.stringify(process.report.getReport())).toContain('hunter2-hunter2')
    keepEnvironmentOutOfReports()
    expect(JSON.stringify(process.report.getReport())).not.toContain('hunter2-hunter2')
  } finally {
    delete process.env['COUNTERSIGN_DATABASES_0_UPSTREAM_ROLES_APP']
  }
})
