// Plays one clip in a loop by the times of its frames; draws its film strip and when which key was down.
import { element } from "./list.js";

const STRIP = 8, WAIT_MS = 90;
const at = (id) => document.getElementById(id);
const frameUrl = (key, offset) => `api/frame?${new URLSearchParams({ key, offset })}`;

export class Player {
  constructor() {
    this.canvas = at("picture");
    this.pen = this.canvas.getContext("2d");
    this.images = [];
    this.times = [];
    this.end = 1;
    this.offset = 0;
    this.playing = true;
    this.turn = 0;
    at("strip").replaceChildren(...Array.from({ length: STRIP }, () => {
      const item = element("li");
      item.append(element("canvas"));
      return item;
    }));
    requestAnimationFrame((now) => this.tick(now));
  }

  // Resolves when the first frame is on the screen.
  async show(clip, getDetail) {
    const turn = ++this.turn;
    for (const image of this.images) if (image && !image.complete) image.src = "";
    const first = this.load(clip.key, 0);
    const [detail] = await Promise.all([getDetail, first.ready]);
    if (turn !== this.turn) return null;
    this.images = [first];
    this.key = clip.key;
    this.times = detail.times;
    this.end = detail.end;
    this.offset = 0;
    this.begun = performance.now();
    this.draw();
    this.drawKeys(detail);
    setTimeout(() => turn === this.turn && this.loadRest(turn), WAIT_MS);
    return detail;
  }

  load(key, offset) {
    const image = new Image();
    image.ready = new Promise((resolve) => { image.onload = image.onerror = resolve; });
    image.src = frameUrl(key, offset);
    return image;
  }

  async loadRest(turn) {
    const count = this.times.length, strip = [...Array(STRIP).keys()].map((n) => Math.floor((n * count) / STRIP));
    const order = [...new Set([...strip, ...Array(count).keys()])];
    for (const offset of order) this.images[offset] ??= this.load(this.key, offset);
    const thumbs = at("strip").querySelectorAll("canvas");
    strip.forEach(async (offset, n) => {
      await this.images[offset].ready;
      if (turn !== this.turn || !this.images[offset].naturalWidth) return;
      const { naturalWidth, naturalHeight } = this.images[offset];
      thumbs[n].width = 160;
      thumbs[n].height = Math.round((160 * naturalHeight) / naturalWidth);
      thumbs[n].getContext("2d").drawImage(this.images[offset], 0, 0, thumbs[n].width, thumbs[n].height);
    });
  }

  tick(now) {
    if (this.playing && this.times.length) {
      const passed = (now - this.begun) % this.end;
      let offset = this.times.findIndex((time) => time > passed) - 1;
      if (offset === -2) offset = this.times.length - 1;
      if (offset !== this.offset && offset >= 0) { this.offset = offset; this.draw(); }
    }
    requestAnimationFrame((next) => this.tick(next));
  }

  step(by) {
    this.playing = false;
    this.offset = (this.offset + by + this.times.length) % this.times.length;
    this.draw();
  }

  toggle() {
    this.playing = !this.playing;
    this.begun = performance.now() - (this.times[this.offset] || 0);
  }

  draw() {
    const image = this.images[this.offset];
    if (image && image.naturalWidth) {
      if (this.canvas.width !== image.naturalWidth) this.canvas.width = image.naturalWidth;
      if (this.canvas.height !== image.naturalHeight) this.canvas.height = image.naturalHeight;
      this.pen.drawImage(image, 0, 0);
    } else if (image && image.complete && this.offset === 0) {
      this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    }
    const time = this.times[this.offset] || 0;
    at("clock").textContent = `${(time / 1000).toFixed(1)} s of ${(this.end / 1000).toFixed(1)} · frame ${this.offset + 1} of ${this.times.length}${this.playing ? "" : " · paused"}`;
    const head = at("playhead");
    if (head) head.style.left = `calc(4.2rem + (100% - 4.2rem) * ${time / this.end})`;
  }

  drawKeys(detail) {
    const lanes = Object.entries(detail.keys).map(([word, presses]) => {
      const lane = element("div", "lane");
      lane.append(element("b", "", word));
      for (const [from, to] of presses) {
        const bar = element("i");
        bar.style.left = `${(100 * from) / detail.end}%`;
        bar.style.width = `${(100 * (to - from)) / detail.end}%`;
        bar.title = `${word}: ${Math.round(to - from)} ms`;
        lane.append(bar);
      }
      return lane;
    });
    const head = element("div");
    head.id = "playhead";
    at("keys").replaceChildren(head, ...(lanes.length ? lanes : [element("p", "idle", detail.problem || "no key was down")]));
  }

  clear() {
    this.turn++;
    this.times = [];
    this.images = [];
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    at("keys").replaceChildren();
    for (const canvas of at("strip").querySelectorAll("canvas")) canvas.width = canvas.width;
  }
}
