import type { DataClass } from '../data-class.ts'

/** What a scan found, in order and without overlap. One list is reused for all scans of a result. */
export class Hits {
  count = 0
  private readonly starts: number[] = []
  private readonly ends: number[] = []
  private readonly classes: DataClass[] = []

  clear(): void {
    this.count = 0
  }

  /** Appends `[start, end)`; answers `end`, which is where the scan goes on. */
  add(start: number, end: number, dataClass: DataClass): number {
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.classes[this.count] = dataClass
    this.count += 1
    return end
  }

  start(index: number): number {
    return this.starts[index] ?? 0
  }

  end(index: number): number {
    return this.ends[index] ?? 0
  }

  class(index: number): DataClass {
    return this.classes[index] ?? 'unknown'
  }
}
