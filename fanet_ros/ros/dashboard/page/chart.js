// Timing chart: stacked stages of each frame, age of the mask as a line, latency budget as a dashed line.

import { STAGES } from './timing.js';

const MARGIN = { left: 34, right: 8, top: 8, bottom: 18 };
const SHOWN = 150;
const AGE = 2;

export class Chart {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
  }

  draw(rows, budget_ms) {
    const { context } = this;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    const color = (name) => style.getPropertyValue(name);
    const shown = rows.slice(-SHOWN);
    const sums = shown.map((row) => STAGES.reduce((sum, stage) => sum + (row[stage.at] ?? 0), 0));
    const top = niceTop(Math.max(10, budget_ms * 1.1, ...high(sums), ...high(shown.map((row) => row[AGE] ?? 0))));
    const plot = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    const x = (index) => MARGIN.left + plot.width * (index + SHOWN - shown.length) / (SHOWN - 1);
    const y = (ms) => MARGIN.top + plot.height * (1 - Math.min(ms, top) / top);

    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (let line = 0; line <= 4; line += 1) {
      const ms = top * line / 4;
      context.fillStyle = color('--line');
      context.fillRect(MARGIN.left, Math.round(y(ms)), plot.width, 1);
      context.fillStyle = color('--faint');
      context.fillText(Number.isInteger(ms) ? String(ms) : ms.toFixed(1), MARGIN.left - 6, y(ms));
    }
    context.textAlign = 'left';
    context.fillText('ms per frame, newest on the right', MARGIN.left, height - 6);
    if (!shown.length) return;
    this.stack(shown, x, y, plot.width / (SHOWN - 1) + 0.5);

    context.strokeStyle = color('--text');
    context.lineWidth = 1.2;
    this.line(shown.map((row) => row[AGE]), x, y);
    if (budget_ms > 0) {
      context.setLineDash([5, 4]);
      context.strokeStyle = color('--error');
      context.lineWidth = 1.5;
      this.line([budget_ms, budget_ms], (index) => MARGIN.left + index * plot.width, y);
      context.setLineDash([]);
      const text = `budget ${budget_ms} ms`;
      const label = { x: MARGIN.left + 4, y: Math.max(MARGIN.top, y(budget_ms) - 17), width: context.measureText(text).width + 8 };
      context.fillStyle = color('--card');
      context.fillRect(label.x, label.y, label.width, 15);
      context.fillStyle = color('--error');
      context.fillText(text, label.x + 4, label.y + 8);
    }
  }

  stack(rows, x, y, width) {
    rows.forEach((row, index) => {
      let below = 0;
      for (const stage of STAGES) {
        const ms = row[stage.at] ?? 0;
        if (ms <= 0) continue;
        this.context.fillStyle = stage.color;
        this.context.fillRect(x(index) - width, y(below + ms), width, y(below) - y(below + ms));
        below += ms;
      }
    });
  }

  line(values, x, y) {
    this.context.beginPath();
    let isBegun = false;
    values.forEach((value, index) => {
      if (value === null) return;
      this.context[isBegun ? 'lineTo' : 'moveTo'](x(index), y(value));
      isBegun = true;
    });
    this.context.stroke();
  }
}

// 98th percentile with a margin: single outliers must not flatten the rest.
function high(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? [1.1 * sorted[Math.floor(0.98 * (sorted.length - 1))]] : [];
}

function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 4, 6, 8, 10].find((step) => step * power >= value);
}
