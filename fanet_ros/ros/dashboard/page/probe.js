// Class and confidence of the pixel under the pointer. A click or tap pins the probe to watch one pixel.

import { setText } from './dom.js';

export class Probe {
  constructor(picture, legend, label) {
    Object.assign(this, { picture, legend, label });
    this.place = null;              // [across, down] on the canvas, 0 to 1
    this.isPinned = false;
    const { canvas } = picture;
    canvas.addEventListener('pointermove', (event) => this.isPinned || event.pointerType === 'touch' || this.move(event));
    canvas.addEventListener('pointerleave', () => this.isPinned || this.move(null));
    canvas.addEventListener('click', (event) => {
      this.isPinned = !this.isPinned;
      this.move(this.isPinned || event.pointerType !== 'touch' ? event : null);
    });
  }

  get isOn() {
    return this.place !== null;
  }

  move(event) {
    this.place = null;
    if (event) {
      const box = pictureBox(this.picture.canvas);
      const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      if (place.every((share) => share >= 0 && share <= 1)) this.place = place;
    }
    this.show();
  }

  show() {
    const found = this.place && this.picture.at(...this.place);
    this.label.hidden = !found;
    this.legend.point(found ? found.id : null);
    if (!found) return;
    const sure = found.confidence === null ? '' : `, ${Math.round(100 * found.confidence)} % sure`;
    setText(this.label, `${this.legend.name(found.id)}${sure}  ·  x ${found.x}, y ${found.y}${this.isPinned ? '  ·  pinned' : ''}`);
    const box = pictureBox(this.picture.canvas);
    const stage = this.label.parentElement.getBoundingClientRect();
    const x = box.left - stage.left + this.place[0] * box.width;
    const y = box.top - stage.top + this.place[1] * box.height;
    const fits = x + 14 + this.label.offsetWidth <= stage.width;
    this.label.style.left = `${Math.max(0, fits ? x + 14 : Math.min(x, stage.width) - 14 - this.label.offsetWidth)}px`;
    this.label.style.top = `${Math.max(0, y > 44 ? y - 38 : y + 18)}px`;
  }
}

// Position of the image inside the canvas element, which keeps its aspect ratio.
function pictureBox(canvas) {
  const box = canvas.getBoundingClientRect();
  const scale = Math.min(box.width / canvas.width, box.height / canvas.height);
  const [width, height] = [canvas.width * scale, canvas.height * scale];
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}
