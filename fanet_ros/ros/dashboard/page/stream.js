// One query at a time: the next is sent once the answer has been drawn. A hidden page sends none.

const AGAIN_MS = 1000;

export class Stream {
  // query(): returns the next query; answered(content, blobs): draws the answer, may be async; connected(isConnected, why)
  constructor({ query, answered, connected }) {
    Object.assign(this, { query, answered, connected });
    this.clock = new ServerClock();
    this.socket = null;
    this.isWaiting = false;       // for an answer, or until it is drawn
    document.addEventListener('visibilitychange', () => this.ask());
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/stream`);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.socket = socket;
      this.isWaiting = false;
      this.connected(true);
      this.ask();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => {
      this.socket = null;
      this.connected(false, event.reason);
      setTimeout(() => this.connect(), AGAIN_MS);
    };
  }

  ask() {
    if (document.hidden || this.isWaiting || this.socket?.readyState !== WebSocket.OPEN) return;
    this.isWaiting = true;
    this.socket.send(JSON.stringify({ ...this.query(), sent_ms: Date.now() }));
  }

  async receive(data) {
    const socket = this.socket;
    try {
      const { content, blobs } = unpack(data);
      if (content.error) throw new Error(content.error);
      this.clock.add(content);
      await this.answered(content, blobs);
    } catch (error) {
      console.error(error);
    }
    if (socket !== this.socket) return;
    this.isWaiting = false;
    this.ask();
  }
}

function unpack(data) {
  const length = new DataView(data).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const blobs = {};
  let start = 4 + length;
  for (const { layer, mime, bytes } of content.blobs ?? []) {
    blobs[layer] = new Blob([new Uint8Array(data, start, bytes)], { type: mime });
    start += bytes;
  }
  return { content, blobs };
}

// Estimates the clock of the robot like NTP, from the exchange with the shortest round trip.
class ServerClock {
  constructor() {
    this.offset_ms = 0;
    this.best_ms = Infinity;
  }

  add({ sent_ms, received_ms, answered_ms }) {
    const now = Date.now();
    const way_ms = (now - sent_ms) - (answered_ms - received_ms);
    this.best_ms += 0.05;           // clocks drift: an old exchange is worth less
    if (way_ms <= this.best_ms) {
      this.best_ms = way_ms;
      this.offset_ms = ((received_ms - sent_ms) + (answered_ms - now)) / 2;
    }
  }

  now() {
    return Date.now() + this.offset_ms;
  }
}
