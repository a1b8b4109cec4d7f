import type { Frame } from './cpu-profile.ts';

const width = 1600;
const rowHeight = 18;
const narrowest = 0.5;
const characterWidth = 6.5;

interface Box {
  readonly frame: Frame;
  readonly x: number;
  readonly width: number;
  readonly depth: number;
}

/** A picture that stands alone: callers above what they call, as wide as the time that they take; pointing at one tells its name and share. */
export function flameGraph(root: Frame): string {
  const boxes = layOut(root);
  const height = (Math.max(...boxes.map(({ depth }) => depth)) + 1) * rowHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="monospace" font-size="11">`,
    ...boxes.map((box) => draw(box, root.ms)),
    '</svg>\n',
  ].join('\n');
}

function layOut(root: Frame): readonly Box[] {
  const boxes: Box[] = [];
  const place = (box: Box) => {
    if (box.width < narrowest) return;
    boxes.push(box);
    let x = box.x;
    for (const frame of [...box.frame.callees.values()].sort((one, other) => other.ms - one.ms)) {
      const share = (frame.ms / root.ms) * width;
      place({ frame, x, width: share, depth: box.depth + 1 });
      x += share;
    }
  };
  place({ frame: root, x: 0, width, depth: 0 });
  return boxes;
}

function draw({ frame, x, width: boxWidth, depth }: Box, wholeMs: number): string {
  const y = depth * rowHeight;
  const fits = Math.floor(boxWidth / characterWidth) - 1;
  const label = fits < 3 ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + 13}">${escaped(frame.name.slice(0, fits))}</text>`;
  const title = `${escaped(frame.name)} ${((100 * frame.ms) / wholeMs).toFixed(1)} %`;
  return `<g><title>${title}</title><rect x="${x.toFixed(1)}" y="${y}" width="${boxWidth.toFixed(1)}" height="${rowHeight - 1}" fill="${colourOf(frame.name)}"/>${label}</g>`;
}

/** Ours, packages and Node's own are told apart. */
function colourOf(name: string): string {
  if (/ (?:shared|modules)\//.test(name)) return '#f4a261';
  return / node:|^\(/.test(name) || !name.includes(' ') ? '#bde0fe' : '#e9d8a6';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
