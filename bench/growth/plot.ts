/** A line of a plot: a point for each size. */
export interface Line {
  readonly name: string
  readonly points: readonly (readonly [size: number, ratio: number])[]
}

export interface Panel {
  readonly title: string
  readonly lines: readonly Line[]
}

const WIDTH = 280
const HEIGHT = 200
const MARGIN = { left: 44, right: 32, top: 34, bottom: 40 }
const LEGEND = { inRow: 4, width: 200, height: 18 }
const RATIO_MAX = 2
const TICKS = [0, 0.5, 1, 1.5, 2]
/** Told apart in either theme, and by those who see few colours: their lines are dashed differently too. */
const STROKES = [
  ['#3b82c4', ''],
  ['#d2781e', '6 3'],
  ['#3f9b5f', '2 3'],
  ['#b0579f', '8 3 2 3'],
  ['#8a8f98', '12 4'],
  ['#c0392b', '4 2 1 2'],
  ['#0f8b8d', '1 3'],
] as const

/** An SVG of ratios over sizes, beside each other; the x axis is logarithmic. Text takes the theme's colour. */
export function drawPlot(panels: readonly Panel[], goal: number): string {
  const step = MARGIN.left + WIDTH + MARGIN.right
  const names = panels[0]?.lines.map(({ name }) => name) ?? []
  const drawn = MARGIN.top + HEIGHT + MARGIN.bottom
  const rows = Math.ceil(names.length / LEGEND.inRow)
  const total = { width: step * panels.length, height: drawn + rows * LEGEND.height + 8 }
  const parts = [
    ...panels.map(
      (panel, index) =>
        `<g transform="translate(${index * step + MARGIN.left} ${MARGIN.top})">${drawPanel(panel, goal)}</g>`,
    ),
    `<g transform="translate(${MARGIN.left} ${drawn + 14})">${drawLegend(names)}</g>`,
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total.width} ${total.height}" role="img" aria-label="Median times against sizes">
<style>
text { font: 12px system-ui, sans-serif; fill: #333 }
.frame, .tick { stroke: #999; fill: none }
.tick { stroke-opacity: .3 }
.goal { stroke: #c33; stroke-dasharray: 4 4 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .goal { stroke: #f77 } }
</style>
${parts.join('\n')}
</svg>
`
}

function drawPanel({ title, lines }: Panel, goal: number): string {
  const sizes = lines[0]?.points.map(([size]) => size) ?? []
  const [low, high] = [Math.log10(Math.min(...sizes)), Math.log10(Math.max(...sizes))]
  const x = (size: number) => round(((Math.log10(size) - low) / (high - low || 1)) * WIDTH)
  const y = (ratio: number) => round(HEIGHT - (Math.min(ratio, RATIO_MAX) / RATIO_MAX) * HEIGHT)
  return [
    `<text x="0" y="-12" font-weight="600">${title}</text>`,
    `<rect class="frame" width="${WIDTH}" height="${HEIGHT}"/>`,
    ...TICKS.map(
      (tick) =>
        `<path class="tick" d="M0 ${y(tick)}H${WIDTH}"/><text x="-8" y="${y(tick) + 4}" text-anchor="end">${tick}x</text>`,
    ),
    ...sizes.map(
      (size) =>
        `<text x="${x(size)}" y="${HEIGHT + 18}" text-anchor="middle">${size.toLocaleString('en')}</text>`,
    ),
    `<path class="goal" d="M0 ${y(goal)}H${WIDTH}"/>`,
    ...lines.map(({ points }, index) => {
      const path = points.map(([size, ratio]) => `${x(size)} ${y(ratio)}`).join('L')
      return `<path d="M${path}" ${strokeOf(index)}/>`
    }),
  ].join('')
}

function drawLegend(names: readonly string[]): string {
  return names
    .map(
      (name, index) =>
        `<g transform="translate(${placeOf(index)})"><path d="M0 -4H26" ${strokeOf(index)}/><text x="32">${name}</text></g>`,
    )
    .join('')
}

const placeOf = (index: number): string =>
  `${(index % LEGEND.inRow) * LEGEND.width} ${Math.floor(index / LEGEND.inRow) * LEGEND.height}`

function strokeOf(index: number): string {
  const [colour, dashes] = STROKES[index % STROKES.length] ?? STROKES[0]
  return `fill="none" stroke="${colour}" stroke-width="2"${dashes && ` stroke-dasharray="${dashes}"`}`
}

const round = (value: number): number => Math.round(value * 10) / 10
