// Timing of the last frames from FrameTiming, and statistics of it.

const KEPT = 300;
const WINDOW_MS = 10000;

// In processing order: index in a row (see timing_log.py), name, colour.
export const STAGES = [
  { at: 3, name: 'wait', color: '#64748b' },
  { at: 4, name: 'convert', color: '#8b9fd1' },
  { at: 5, name: 'preprocess', color: '#5b8def' },
  { at: 6, name: 'network', color: '#14b8a6' },
  { at: 7, name: 'postprocess', color: '#84cc8f' },
  { at: 8, name: 'publish', color: '#d8b04c' },
  { at: 9, name: 'overlay', color: '#d9825b' },
];
const STAMP = 0, RECEIVED = 1, AGE = 2, TOTAL = 10, HEIGHT = 11, WIDTH = 12, COUNTS = 13;

export class Timing {
  constructor() {
    this.clear();
  }

  clear() {
    this.rows = [];
    this.seen_ms = [];              // latencies from mask published to displayed, in ms
    this.drawn = new Map();         // stamp -> display time by the robot's clock, in ms
    this.eye_ms = null;             // latency from camera stamp to display, in ms
  }

  add(rows) {
    this.rows.push(...rows);
    this.rows.splice(0, this.rows.length - KEPT);
    for (const row of rows) {
      const drawn = this.drawn.get(row[STAMP]);
      if (drawn === undefined || row[AGE] === null) continue;
      this.seen_ms.push(drawn - row[STAMP] - row[AGE]);
      this.drawn.delete(row[STAMP]);
    }
    this.seen_ms.splice(0, this.seen_ms.length - 2000);
  }

  // Notes that a frame is displayed now.
  shown(stamp_ms, now_ms) {
    const key = Math.round(1000 * stamp_ms) / 1000;
    this.drawn.set(key, now_ms);
    if (this.drawn.size > 60) this.drawn.delete(this.drawn.keys().next().value);
    const age = now_ms - stamp_ms;
    this.eye_ms = age >= 0 && age < 60000 ? age : null;       // otherwise the stamps are from another clock
    for (const row of this.rows.slice(-5)) {
      if (row[STAMP] === key && row[AGE] !== null && this.drawn.delete(key)) this.seen_ms.push(now_ms - key - row[AGE]);
    }
  }

  get last() {
    return this.rows.at(-1);
  }

  window() {
    const since = (this.last?.[RECEIVED] ?? 0) - WINDOW_MS;
    return this.rows.filter((row) => row[RECEIVED] >= since);
  }

  rate_hz(now_ms) {
    const rows = this.window().slice(-60);
    if (rows.length < 2 || now_ms - rows.at(-1)[RECEIVED] > 3000) return rows.length ? 0 : null;
    return 1000 * (rows.length - 1) / (rows.at(-1)[RECEIVED] - rows[0][RECEIVED]);
  }

  percentiles(at, rows = this.window()) {
    const values = rows.map((row) => row[at]).filter((value) => value !== null).sort((a, b) => a - b);
    return [0.5, 0.95, 0.99].map((share) => (values.length ? values[Math.min(values.length - 1, Math.floor(share * values.length))] : null));
  }

  total() {
    return this.percentiles(TOTAL);
  }

  age() {
    return this.percentiles(AGE);
  }

  // [height, width] of the network input
  size() {
    return this.last && [this.last[HEIGHT], this.last[WIDTH]];
  }

  counts() {
    if (!this.last) return null;
    const [received, segmented, dropped, rejected] = this.last.slice(COUNTS);
    return { received, segmented, dropped, rejected };
  }

  // Expected median latency at another number of pixels: preprocess and network in proportion, the rest unchanged.
  expected_ms(pixels) {
    const size = this.size();
    if (!size) return null;
    const rows = this.window().filter((row) => row[HEIGHT] === size[0] && row[WIDTH] === size[1]);
    const at = (place) => this.percentiles(place, rows)[0] ?? 0;
    const scaled = at(5) + at(6);
    return at(TOTAL) - scaled + scaled * pixels / (size[0] * size[1]);
  }
}
