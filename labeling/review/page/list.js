// The list of clips: only the rows that can be seen are in the page, however many there are.

const HEIGHT = 44, SPARE = 6;
export const ICONS = { unlabeled: "?", proposed: "·", changed: "~", accepted: "✓", edited: "✎", rejected: "✗", deleted: "⌫" };

export class ClipList {
  constructor(onClick) {
    this.box = document.getElementById("list");
    this.inner = document.getElementById("list-inner");
    this.clips = [];
    this.at = 0;
    this.picked = new Set();
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.box);
    this.inner.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) onClick(Number(row.dataset.index));
    });
  }

  show(clips, at) {
    this.clips = clips;
    this.inner.style.height = `${clips.length * HEIGHT}px`;
    this.move(at);
  }

  move(at) {
    this.at = Math.max(0, Math.min(at, this.clips.length - 1));
    const top = this.at * HEIGHT, seen = this.box.clientHeight;
    if (top < this.box.scrollTop + HEIGHT) this.box.scrollTop = top - HEIGHT;
    else if (top > this.box.scrollTop + seen - 2 * HEIGHT) this.box.scrollTop = top - seen + 2 * HEIGHT;
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(this.clips.length, first + Math.ceil(this.box.clientHeight / HEIGHT) + 2 * SPARE);
    const rows = [];
    for (let index = first; index < last; index++) rows.push(this.row(index));
    this.inner.replaceChildren(...rows);
  }

  row(index) {
    const clip = this.clips[index], row = element("div", "row");
    row.dataset.index = index;
    row.style.top = `${index * HEIGHT}px`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(index === this.at));
    row.classList.toggle("picked", this.picked.has(clip.key));
    const goal = element("span", "goal", clip.goal || "no goal yet");
    goal.append(element("small", "", `${clip.session} · ${clip.start}–${clip.stop - 1} · ${clip.labeler || "nobody"}`));
    const sure = clip.labeler ? clip.confidence.toFixed(2) : "";
    row.append(element("span", `icon ${clip.state}`, ICONS[clip.state]), goal, element("span", "sure", sure));
    return row;
  }
}

export function element(kind, classes = "", text = "") {
  const made = document.createElement(kind);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}
