// Camera image, class colours and confidence on one canvas. Blending and recolouring need no data from the robot.

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.alpha = 0.55;
    this.view = 'blend';
    this.camera = null;             // ImageBitmap
    this.mask = null;               // { width, height, values }: class ID of every pixel
    this.confidence = null;
    this.shares = new Uint32Array(256);
    this.frame = null;
    this.colors = new Uint32Array(256);
    this.drawn = { mask: new Surface(), confidence: new Surface() };
  }

  // Layers needed by the current view.
  layers() {
    return this.view === 'confidence' ? ['camera', 'mask', 'confidence'] : ['camera', 'mask'];
  }

  async show(frame, blobs) {
    const [camera, mask, confidence] = await Promise.all([
      blobs.camera ? createImageBitmap(blobs.camera, { imageOrientation: 'none' }).catch(() => null) : null,
      values(blobs.mask), values(blobs.confidence)]);
    this.camera?.close();
    Object.assign(this, { frame, camera, mask, confidence });
    if (confidence) this.drawn.confidence.paint(confidence, HEAT);
    this.recolor();
  }

  // colors: [[id, [r, g, b, a]], ...]; other classes are not drawn.
  setColors(colors) {
    this.colors.fill(0);
    for (const [id, [r, g, b, a]] of colors) this.colors[id] = ((a << 24) | (b << 16) | (g << 8) | r) >>> 0;
    this.recolor();
  }

  recolor() {
    if (this.mask) this.drawn.mask.paint(this.mask, this.colors, this.shares);
    this.draw();
  }

  clear() {
    this.camera?.close();
    Object.assign(this, { camera: null, mask: null, confidence: null, frame: null });
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  draw() {
    if (!this.mask) return;
    const { canvas, context, mask } = this;
    const width = this.camera?.width ?? mask.width;
    const height = this.camera?.height ?? mask.height;
    const isPair = this.view === 'pair';
    this.isStacked = isPair && canvas.parentElement.clientWidth < 640;
    resize(canvas, isPair && !this.isStacked ? 2 * width : width, this.isStacked ? 2 * height : height);
    context.imageSmoothingEnabled = false;
    if (this.view === 'confidence') {
      if (this.confidence) context.drawImage(this.drawn.confidence.canvas, 0, 0, width, height);
      return;
    }
    if (this.camera) context.drawImage(this.camera, 0, 0, width, height);
    if (isPair) {
      const [x, y] = this.isStacked ? [0, height] : [width, 0];
      context.drawImage(this.drawn.mask.canvas, x, y, width, height);
    } else {
      context.globalAlpha = this.camera ? this.alpha : 1;
      context.drawImage(this.drawn.mask.canvas, 0, 0, width, height);
      context.globalAlpha = 1;
    }
  }

  // Pixel at a canvas position (each coordinate 0 to 1): { x, y } in image pixels, class ID and confidence (0 to 1 or null).
  at(across, down) {
    if (!this.mask || this.mask.width === 0) return null;
    if (this.view === 'pair') {
      if (this.isStacked) down = (2 * down) % 1;
      else across = (2 * across) % 1;
    }
    const inside = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
    const read = (layer) => layer?.values[inside(down, layer.height) * layer.width + inside(across, layer.width)];
    return { x: inside(across, this.frame.width), y: inside(down, this.frame.height), id: read(this.mask),
      confidence: this.confidence ? read(this.confidence) / 255 : null };
  }
}

class Surface {
  constructor() {
    this.canvas = document.createElement('canvas');
    this.context = this.canvas.getContext('2d');
    this.pixels = null;
  }

  // layer: { width, height, values }; colors: 256 words of RGBA; counts: filled with the histogram if given
  paint({ width, height, values }, colors, counts) {
    if (resize(this.canvas, width, height) || !this.pixels) this.pixels = this.context.createImageData(width, height);
    const words = new Uint32Array(this.pixels.data.buffer);
    for (let place = 0; place < words.length; place += 1) words[place] = colors[values[place]];
    if (counts) {
      counts.fill(0);
      for (let place = 0; place < values.length; place += 1) counts[values[place]] += 1;
    }
    this.context.putImageData(this.pixels, 0, 0);
  }
}

const reader = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

// Decodes a greyscale PNG without any colour conversion.
async function values(blob) {
  if (!blob) return null;
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  resize(reader.canvas, width, height);
  reader.drawImage(bitmap, 0, 0);
  bitmap.close();
  const words = new Uint32Array(reader.getImageData(0, 0, width, height).data.buffer);
  const found = new Uint8Array(words.length);
  for (let place = 0; place < words.length; place += 1) found[place] = words[place] & 255;
  return { width, height, values: found };
}

function resize(canvas, width, height) {
  if (canvas.width === width && canvas.height === height) return false;
  canvas.width = width;
  canvas.height = height;
  return true;
}

// Confident: dark; uncertain: bright, from the accent colour to yellow.
const HEAT = new Uint32Array(256).map((_, confidence) => {
  const doubt = 1 - confidence / 255;
  const r = Math.round(255 * Math.min(1, 2.2 * Math.max(0, doubt - 0.25)));
  const g = Math.round(18 + 215 * Math.min(1, 1.6 * doubt));
  const b = Math.round(28 + 190 * Math.max(0, Math.min(1, 2.4 * doubt) - 1.3 * Math.max(0, doubt - 0.3)));
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
});
