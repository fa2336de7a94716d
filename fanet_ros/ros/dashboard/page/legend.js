// Classes with their colours and shares of the image. Clicking hides a class, its swatch recolours it, on this page only.

import { make, setText } from './dom.js';

const UNLABELLED = 255;

export class Legend {
  // changed(): called when colours or hidden classes change
  constructor(list, changed) {
    this.list = list;
    this.changed = changed;
    this.classes = [];
    this.rows = new Map();
    this.hidden = new Set();
    this.own = new Map();           // colours chosen on this page, by class name
    this.key = '';
  }

  set(map) {
    const key = JSON.stringify(map);
    if (key === this.key) return;
    this.key = key;
    this.classes = map?.classes ?? [];
    this.rows = new Map(this.classes.map((item) => [item.id, this.row(item)]));
    this.list.replaceChildren(...[...this.rows.values()].map((row) => row.item));
    this.list.classList.toggle('long', this.classes.length > 24);
    this.changed();
  }

  row({ id, name, color }) {
    const hex = this.own.get(name) ?? `#${color.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
    const swatch = make('input', { type: 'color', value: hex, title: `Colour of ${name} on this page` });
    const button = make('button', { className: 'name', textContent: name, title: `Hide or show ${name}`, 'aria-pressed': 'true' });
    const meter = make('meter', { min: 0, max: 1, value: 0 });
    meter.ariaLabel = `Share of ${name}`;
    const part = make('span', { className: 'part', textContent: '–' });
    const item = make('li', { 'data-class': name }, swatch, button, meter, part);
    item.classList.toggle('off', this.hidden.has(name));
    swatch.addEventListener('input', () => {
      this.own.set(name, swatch.value);
      this.changed();
    });
    button.addEventListener('click', () => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      item.classList.toggle('off', this.hidden.has(name));
      button.setAttribute('aria-pressed', String(!this.hidden.has(name)));
      this.changed();
    });
    return { item, meter, part, swatch, id };
  }

  name(id) {
    return this.classes.find((item) => item.id === id)?.name ?? (id === UNLABELLED ? 'unlabelled' : `value ${id}`);
  }

  // [id, [r, g, b, a]] of each class; a is 0 if hidden.
  colors() {
    return this.classes.map(({ id, name, color }) => {
      const own = this.own.get(name);
      const [r, g, b] = own ? [1, 3, 5].map((place) => parseInt(own.slice(place, place + 2), 16)) : color;
      return [id, [r, g, b, this.hidden.has(name) ? 0 : 255]];
    });
  }

  showShares(counts) {
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    for (const { id, meter, part } of this.rows.values()) {
      const share = counts[id] / total;
      meter.value = share;
      setText(part, counts[id] ? `${(100 * share).toFixed(1)} %` : '–');
    }
  }

  point(id) {
    for (const row of this.rows.values()) row.item.classList.toggle('pointed', row.id === id);
  }
}
