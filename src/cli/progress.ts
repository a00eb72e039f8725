import { faint, good, print } from './terminal.ts'

/** Says what is being done while it takes time, and how long it took. */
export interface Progress {
  step<T>(title: string, work: () => Promise<T>): Promise<T>
  note(text: string): void
}

export function createProgress(): Progress {
  return {
    async step(title, work) {
      const started = performance.now()
      const result = await work()
      print(`${good('✓')} ${title} ${faint(seconds(performance.now() - started))}`)
      return result
    },
    note: (text) => print(text),
  }
}

const seconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
