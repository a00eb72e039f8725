const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="[^"\n]*",?)+\})?) (\S+)$/

/**
 * The samples of an exposition by name and labels. Of a line that is none an error is thrown.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || /^# (?:HELP|TYPE) /.test(line)) continue
    const [, name, value] = SAMPLE.exec(line) ?? []
    if (name === undefined || Number.isNaN(Number(value))) throw new Error(`no sample: ${line}`)
    if (samples.has(name)) throw new Error(`twice: ${line}`)
    samples.set(name, Number(value))
  }
  return samples
}
