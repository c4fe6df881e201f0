/** Legible on a light and on a dark page. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .ours { fill: #1a7f64 }
  .other { fill: #9aa4ae }
  .spread { stroke: #57606a; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #3fb68b } .other { fill: #6e7781 } .spread { stroke: #c9d1d9 } }
`;

export interface Drawing {
  /** Alternative text. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** More than {@link STYLE}. */
  readonly style?: string;
  readonly shapes: readonly string[];
}

export function svg({ title, width, height, style = '', shapes }: Drawing): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}${style}</style>
${shapes.join('\n')}
</svg>
`;
}

export function text(x: number, y: number, content: string, style?: string): string {
  return `<text x="${round(x)}" y="${round(y)}"${style ? ` class="${style}"` : ''}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
