// Figures of rate, latency, stages and dropped frames.

import { byId, make, milliseconds, number, setText } from './dom.js';
import { STAGES } from './timing.js';

export class Figures {
  constructor() {
    const cells = () => [0, 1, 2].map(() => make('td'));
    const row = (name, color) => {
      const values = cells();
      const key = make('span', { className: 'key' });
      key.style.background = color ?? 'none';
      return { values, element: make('tr', { className: color ? '' : 'sum' }, make('td', {}, ...(color ? [key] : []), name), ...values) };
    };
    this.rows = STAGES.map((stage) => ({ at: stage.at, ...row(stage.name, stage.color) }));
    this.total = row('received to published');
    this.age = row('camera to mask (line)');
    const head = make('tr', {}, ...['ms', 'p50', 'p95', 'p99'].map((text) => make('th', { textContent: text })));
    byId('stages').append(head, ...this.rows.map((item) => item.element), this.total.element, this.age.element);
  }

  show(timing, now_ms, diagnostics) {
    const [p50, p95] = timing.total();
    setText(byId('rate'), number(timing.rate_hz(now_ms), 1));
    setText(byId('p50'), milliseconds(p50));
    setText(byId('p95'), milliseconds(p95));
    setText(byId('age'), milliseconds(timing.eye_ms));
    const fill = (row, values) => row.values.forEach((cell, index) => setText(cell, milliseconds(values[index])));
    for (const row of this.rows) fill(row, timing.percentiles(row.at));
    fill(this.total, timing.total());
    fill(this.age, timing.age());
    setText(byId('drops'), drops(timing.counts(), diagnostics));
  }
}

function drops(counts, diagnostics) {
  if (!counts) return '';
  const reasons = Object.entries(diagnostics?.values ?? {})
    .filter(([key, value]) => /^frames (dropped|rejected): /.test(key) && value !== '0')
    .map(([key, value]) => `${value} ${key.replace(/^frames (dropped|rejected): /, '')}`);
  return `${counts.segmented} of ${counts.received} frames segmented, ${counts.dropped} dropped, ${counts.rejected} rejected`
    + (reasons.length ? `: ${reasons.join(', ')}` : '');
}
