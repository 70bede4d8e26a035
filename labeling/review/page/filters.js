// Which clips are listed.

const TODO = new Set(["unlabeled", "proposed", "changed"]);
const at = (id) => document.getElementById(id);

export function isTodo(clip) { return TODO.has(clip.state); }

export function chosen() {
  const state = at("filter-state").value, labeler = at("filter-labeler").value;
  const text = at("filter-goal").value.trim().toLowerCase(), most = Number(at("filter-confidence").value);
  at("confidence-shown").value = most.toFixed(2);
  return (clip) =>
    (state ? (state === "todo" ? TODO.has(clip.state) : clip.state === state) : clip.state !== "deleted") &&
    (!labeler || (clip.labeler || "nobody") === labeler) &&
    (most >= 1 || clip.confidence <= most) &&
    (!text || clip.goal.toLowerCase().includes(text) || clip.session.toLowerCase().includes(text));
}

export function labeler() { return at("filter-labeler").value; }

export function offerLabelers(clips) {
  const select = at("filter-labeler"), before = select.value;
  const names = [...new Set(clips.map((clip) => clip.labeler || "nobody"))].sort();
  if (names.join() === [...select.options].slice(1).map((option) => option.value).join()) return;
  select.replaceChildren(new Option("any labeler", ""), ...names.map((name) => new Option(name, name)));
  select.value = names.includes(before) ? before : "";
}

export function cycleState() {
  const select = at("filter-state");
  select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
}
