// Slider for the network resolution over the steps of resolution_ladder, with the expected latency of each.

import { byId, make, milliseconds, notify, setText } from './dom.js';

const LADDER = [1, 0.75, 0.5, 0.375];

export class Resolution {
  constructor(parameters, timing) {
    Object.assign(this, { parameters, timing });
    this.slider = byId('scale');
    this.scales = [];
    this.measured = new Map();      // pixels -> measured median in ms, of sizes that ran while the page was open
    this.isHeld = false;
    this.slider.addEventListener('input', () => {
      this.isHeld = true;
      this.updateText();
    });
    this.slider.addEventListener('change', () => this.send());
  }

  // values: all parameters by name
  set(values) {
    this.scale = values.input_scale;
    this.budget_ms = values.latency_budget_ms ?? 0;
    byId('scale').disabled = this.scale === undefined || !this.parameters.canChange;
    if (this.scale === undefined) return;
    const scales = [...new Set([...(values.resolution_ladder ?? LADDER), this.scale])].sort((a, b) => a - b);
    if (JSON.stringify(scales) !== JSON.stringify(this.scales)) {
      this.scales = scales;
      this.slider.max = scales.length - 1;
      byId('ladder').replaceChildren(...scales.map((scale, index) => make('option', { value: index, label: scale })));
    }
    if (!this.isHeld) this.slider.value = scales.indexOf(this.scale);
    this.updateText();
  }

  refresh() {
    const size = this.timing.size();
    if (size) {
      const rows = this.timing.window().filter((row) => row[11] === size[0] && row[12] === size[1]);
      if (rows.length >= 10) this.measured.set(size[0] * size[1], this.timing.percentiles(10, rows)[0]);
    }
    this.updateText();
  }

  updateText() {
    const size = this.timing.size();
    const chosen = this.scales[this.slider.value];
    if (!size || chosen === undefined) return;
    const share = chosen / this.scale;
    const [height, width] = size.map((side) => Math.round(side * share / 32) * 32 || 32);
    const isPresent = chosen === this.scale;
    setText(byId('size'), isPresent ? `${size[1]}×${size[0]}` : `≈ ${width}×${height}`);
    const pixels = isPresent ? size[0] * size[1] : size[0] * size[1] * share * share;
    const known = [...this.measured].find(([count]) => Math.abs(count / pixels - 1) < 0.06);
    const ms = known ? known[1] : this.timing.expected_ms(pixels);
    const source = isPresent ? 'current median' : known ? 'median measured earlier' : 'expected median';
    const over = this.budget_ms > 0 && ms > this.budget_ms ? `, over the budget of ${this.budget_ms} ms` : '';
    setText(byId('expected'), `input_scale ${chosen}: ${milliseconds(ms)} ms per frame, ${source}${over}`);
  }

  async send() {
    const chosen = this.scales[this.slider.value];
    this.isHeld = false;
    setText(byId('expected'), `input_scale ${chosen}: building it while the current network keeps running …`);
    const { applied, reason } = await this.parameters.set({ input_scale: chosen });
    if (!applied) {
      notify(`input_scale ${chosen} refused: ${reason}`, true);
      this.slider.value = this.scales.indexOf(this.scale);
    }
    this.updateText();
  }
}
