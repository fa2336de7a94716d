// One field per parameter, built from its descriptor, with the node's answer to a change below it.

import { byId, make, request, setText } from './dom.js';

// Shown first, if the node has them.
const MAIN = ['checkpoint', 'engine', 'precision', 'latency_budget_ms', 'temporal_smoothing', 'min_confidence'];

export class Parameters {
  // changed(values): called with all values by name whenever they have been read
  constructor(changed) {
    this.changed = changed;
    this.fields = [];
    this.values = {};
    this.canChange = true;
    this.isMissing = false;         // the last attempt to read them failed
    byId('filter').addEventListener('input', () => this.filter());
  }

  async load() {
    let answer;
    this.isMissing = false;
    try {
      answer = await request('/api/parameters');
    } catch {
      this.isMissing = true;        // the node is not running, which the status says, or busy: main.js tries again
      return;
    }
    this.values = Object.fromEntries(answer.parameters.map((item) => [item.name, item.value]));
    const shape = JSON.stringify([this.canChange, answer.checkpoints, answer.parameters.map(({ value, ...rest }) => rest)]);
    if (shape !== this.shape) this.build(answer);
    this.shape = shape;
    for (const field of this.fields) field.show(this.values[field.name]);
    this.changed(this.values);
  }

  build({ parameters, checkpoints }) {
    const field = (item) => new Field(
      item.name === 'checkpoint' ? { ...item, suggestions: checkpoints } : item, this.canChange, (name, value) => this.set({ [name]: value }));
    const main = MAIN.flatMap((name) => parameters.filter((item) => item.name === name)).map(field);
    const all = parameters.filter((item) => item.name !== 'use_sim_time').map(field);
    byId('main-parameters').replaceChildren(...main.map((item) => item.element));
    byId('all-parameters').replaceChildren(...all.map((item) => item.element));
    this.fields = [...main, ...all];
    this.filter();
  }

  filter() {
    const words = byId('filter').value.toLowerCase();
    for (const box of byId('all-parameters').children) box.hidden = !box.textContent.toLowerCase().includes(words);
  }

  // Sets one or several parameters; returns { applied, reason }.
  async set(values) {
    let answer;
    try {
      answer = await request('/api/parameters', values);
    } catch (error) {
      answer = { applied: false, reason: error.message };
    }
    if (answer.applied) await this.load();
    return answer;
  }
}

let count = 0;

class Field {
  // set(name, value): sends the value, returns { applied, reason }
  constructor(item, canChange, set) {
    Object.assign(this, item);
    count += 1;
    this.input = this.makeInput(`parameter-${count}`);
    this.input.disabled = this.fixed || !canChange;
    this.answer = make('div', { className: 'answer' });
    const line = make('div', { className: 'line' }, this.input, ...(this.unit ? [make('span', { className: 'unit', textContent: this.unit })] : []));
    const notes = [this.description, this.range && this.type !== 'bool' ? `(${this.range[0]} to ${this.range[1]})` : '', this.fixed ? '(fixed at start-up)' : ''];
    const label = make('label', { for: this.input.id, textContent: this.name });
    if (this.suggestions) line.append(make('datalist', { id: this.input.getAttribute('list') }, ...this.suggestions.map((value) => make('option', { value }))));
    this.element = make('div', { className: 'parameter', 'data-parameter': this.name }, label, line,
      make('div', { className: 'faint', textContent: notes.filter(Boolean).join(' ') }), this.answer);
    this.element.title = this.description;
    this.input.addEventListener('change', () => this.send(set));
  }

  makeInput(id) {
    if (this.choices) return make('select', { id }, ...this.choices.map((value) => make('option', { value, textContent: value })));
    if (this.type === 'bool') return make('input', { id, type: 'checkbox' });
    if (this.type === 'integer' || this.type === 'double') {
      const limits = this.range ? { min: this.range[0], max: this.range[1] } : {};
      return make('input', { id, type: 'number', step: this.type === 'integer' ? 1 : 'any', inputMode: 'decimal', ...limits });
    }
    return make('input', { id, type: 'text', spellcheck: false, ...(this.suggestions ? { list: `${id}-list` } : {}) });
  }

  show(value) {
    this.value = value;
    if (this.type === 'bool') {
      this.input.checked = value;
      return;
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const isBeingTyped = document.activeElement === this.input && this.input.value !== this.shown;
    this.shown = text;
    if (!isBeingTyped) this.input.value = text;
  }

  // The typed value; undefined if it is not valid JSON.
  read() {
    if (this.type === 'bool') return this.input.checked;
    if (this.type === 'string') return this.input.value;
    try {
      return JSON.parse(this.input.value);
    } catch {
      return undefined;
    }
  }

  async send(set) {
    const value = this.read();
    if (value === undefined) {
      this.showAnswer('refused', `expected ${this.type.replace('_', ' of ')}, such as ${JSON.stringify(this.value)}`);
      return;
    }
    this.showAnswer('waits', 'waiting for the node …');
    const { applied, reason } = await set(this.name, value);
    if (applied) {
      this.showAnswer('applied', 'applied');
      setTimeout(() => this.answer.className === 'answer applied' && this.showAnswer('', ''), 4000);
    } else {
      this.showAnswer('refused', `refused: ${reason}`);
      this.shown = this.input.value;        // show() may now replace the typed text
      this.show(this.value);
    }
  }

  showAnswer(kind, text) {
    this.answer.className = `answer ${kind}`;
    setText(this.answer, text);
  }
}
