/** Where the progress goes: standard output. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** One line at the foot of a terminal; nothing where there is no terminal. */
export interface Progress {
  begin(name: string, total: number): void;
  advance(): void;
  /** Takes the line away. */
  end(): void;
}

const refreshMs = 200;
const barWidth = 30;

export function createProgress(terminal: Terminal, retries: () => number): Progress {
  if (terminal.isTTY !== true) return { begin: () => {}, advance: () => {}, end: () => {} };
  let step = { name: '', total: 0, done: 0, start: 0 };
  let timer: NodeJS.Timeout | undefined;
  const draw = () =>
    terminal.write(`\r${progressLine({ ...step, ms: performance.now() - step.start, retries: retries() })}\u001b[K`);

  return {
    begin(name, total) {
      step = { name, total, done: 0, start: performance.now() };
      timer ??= setInterval(draw, refreshMs).unref();
      draw();
    },
    advance() {
      step.done++;
    },
    end() {
      if (!timer) return;
      clearInterval(timer);
      timer = undefined;
      terminal.write('\r\u001b[K');
    },
  };
}

interface Step {
  readonly name: string;
  /** 0 when nobody knows */
  readonly total: number;
  readonly done: number;
  readonly ms: number;
  readonly retries: number;
}

function progressLine({ name, total, done, ms, retries }: Step): string {
  const again = retries === 0 ? '' : `, ${retries} retries`;
  if (total === 0) return `${name}, ${(ms / 1000).toFixed(0)} s${again}`;
  const filled = Math.round((done / total) * barWidth);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}`;
  return `${name} [${bar}] ${done}/${total} ${Math.floor((done / total) * 100)} %, ${Math.round((done * 1000) / Math.max(ms, 1))} a second${again}`;
}
