// The page: what is shown, and what each key does.
import * as server from "./server.js";
import * as filters from "./filters.js";
import { ClipList, ICONS, element } from "./list.js";
import { Player } from "./player.js";

const DRAFT = "gameenv-review-draft", POLL_MS = 1500;
const at = (id) => document.getElementById(id);
const player = new Player();
const list = new ClipList((index) => select(index));
const details = new Map();
let all = [], head = 0, audit = null, editing = null, waiting = false, busy = Promise.resolve();

const current = () => list.clips[list.at];
const order = (a, b) => (a.session < b.session ? -1 : a.session > b.session ? 1 : a.start - b.start);

// ---- reading

async function start() {
  await server.sendRest(onWaiting, (error) => say(error.message));
  const answer = await server.get("api/clips");
  all = answer.clips.map((row) => server.readRow(row, answer.columns));
  takeStatus(answer);
  filters.offerLabelers(all);
  refilter();
  setInterval(poll, POLL_MS);
}

async function poll() {
  if (document.hidden) return;
  try {
    const answer = await server.get("api/changes", { since: head });
    const others = answer.changes.filter((change) => change.id > head);
    for (const change of others) take(change);
    takeStatus(answer);
    if (others.length) refilter(current()?.key);
    onWaiting(false);
  } catch (error) {
    if (error instanceof server.Refused) say(error.message);
    else onWaiting(true);
  }
}

function take(change) {
  const removed = new Set(change.removed);
  const before = all.length;
  const added = new Map(change.added.map((row) => server.readRow(row, change.columns)).map((clip) => [clip.key, clip]));
  all = all.map((clip) => { // the common case: a clip of the same rows
    const now = added.get(clip.key);
    if (now) { added.delete(clip.key); removed.delete(clip.key); }
    return now || clip;
  });
  if (removed.size) all = all.filter((clip) => !removed.has(clip.key));
  if (added.size) all.push(...added.values());
  if (added.size || all.length !== before) all.sort(order);
  for (const key of [...change.removed, ...added.keys()]) { details.delete(key); list.picked.delete(key); }
  head = Math.max(head, change.id);
}

function takeStatus({ head: newest, pending, progress, problems }) {
  head = Math.max(head, newest);
  const { reviewed, all: count } = progress;
  at("progress-bar").style.width = `${(100 * reviewed) / Math.max(1, count)}%`;
  const parts = ["accepted", "edited", "rejected"].filter((state) => progress[state]).map((state) => `${progress[state]} ${state}`);
  at("progress-text").textContent = `${reviewed} of ${count} reviewed${parts.length ? ` · ${parts.join(", ")}` : ""}`;
  at("saved").textContent = waiting ? "the server does not answer; trying again" : pending ? `saved; writing ${pending} to the segments` : "all saved";
  at("saved").classList.toggle("working", waiting || pending > 0);
  if (problems.length) say(problems.length > 1 ? `${problems[0]} (and ${problems.length - 1} more)` : problems[0]);
}

function onWaiting(is) {
  if (is === waiting) return;
  waiting = is;
  at("saved").textContent = is ? "the server does not answer; trying again" : "all saved";
  at("saved").classList.toggle("working", is);
}

function say(text) {
  at("alert").textContent = text;
  at("alert").hidden = !text;
}

// ---- showing

function refilter(key, fallback = list.at) {
  const inAudit = audit && new Map(all.map((clip) => [clip.key, clip]));
  const clips = audit ? audit.drawn.map(([each]) => inAudit.get(each)).filter(Boolean) : all.filter(filters.chosen());
  const index = key === undefined ? -1 : clips.findIndex((clip) => clip.key === key);
  const deleted = all.filter((clip) => clip.state === "deleted").length;
  at("count").textContent = `${clips.length} of ${all.length - deleted} clips${list.picked.size ? ` · ${list.picked.size} selected` : ""}`;
  list.show(clips, index >= 0 ? index : fallback);
  draw();
}

function select(index) {
  list.move(index);
  draw();
}

async function draw() {
  const clip = current();
  drawLabel(clip);
  drawHints();
  if (!clip) { player.clear(); document.body.dataset.shown = ""; return; }
  if (player.key === clip.key && details.has(clip.key) && document.body.dataset.shown === clip.key) return drawDetail(details.get(clip.key));
  let detail;
  try { detail = await player.show(clip, detailOf(clip)); } catch (error) { return say(error.message); }
  if (!detail) return;
  drawDetail(detail);
  document.body.dataset.shown = clip.key;
  for (const next of [list.clips[list.at + 1], list.clips[list.at - 1]]) if (next) detailOf(next).then(() => player.load(next.key, 0), () => {});
}

async function detailOf(clip) {
  const known = details.get(clip.key);
  if (known && known.version === clip.version) return known;
  const detail = await server.get("api/clip", { key: clip.key });
  if (details.size > 500) details.clear();
  details.set(clip.key, detail);
  return detail;
}

function drawLabel(clip) {
  if (editing && editing.key !== clip?.key) endEdit();
  at("state").className = `state ${clip ? clip.state : ""}`;
  at("state").textContent = clip ? `${ICONS[clip.state]} ${clip.state}` : "";
  at("goal").textContent = clip ? clip.goal || "no goal yet" : "nothing matches the filters";
  at("goal").classList.toggle("none", !clip || !clip.goal);
  at("completed").textContent = !clip ? "" : clip.completed ? "yes" : "no";
  at("labeler").textContent = clip ? clip.labeler || "nobody" : "";
  at("place").textContent = clip ? `${clip.session} · take ${clip.take} · rows ${clip.start}–${clip.stop - 1}` : "";
  at("confidence").replaceChildren();
  if (clip && clip.labeler) {
    const meter = element("span", "meter"), bar = element("i");
    bar.style.width = `${100 * clip.confidence}%`;
    meter.append(bar);
    at("confidence").append(meter, clip.confidence.toFixed(2));
  }
  drawAudit(clip);
}

function drawDetail({ proposal, problem }) {
  const clip = current();
  const differs = proposal && clip && (proposal.goal !== clip.goal || proposal.completed !== clip.completed);
  for (const id of ["proposed", "proposed-name"]) at(id).hidden = !differs;
  at("proposed").textContent = differs ? `${proposal.goal}${proposal.completed ? ", reached" : ", not reached"}` : "";
  const evidence = proposal && Object.keys(proposal.evidence || {}).length ? Object.entries(proposal.evidence) : [];
  for (const id of ["evidence", "evidence-name"]) at(id).hidden = !evidence.length;
  at("evidence").textContent = evidence.map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join("\n");
  if (problem) say(problem);
}

function drawHints() {
  const hints = audit
    ? [["y", "right"], ["n", "wrong"], ["k", "back"], ["Space", "pause"], ["Esc", "end the audit"]]
    : [["Enter", "accept"], ["e", "edit"], ["r", "reject"], ["c", "reached or not"], ["s", "split"], ["m", "join"], ["[ ]", "trim"], ["u", "undo"], ["j k", "next, previous"], ["p", "audit"]];
  at("hints").replaceChildren(...hints.map(([key, text]) => {
    const hint = element("span");
    hint.append(element("kbd", "", key), ` ${text}`);
    return hint;
  }));
}

// ---- deciding

const targets = () => (list.picked.size ? all.filter((clip) => list.picked.has(clip.key)) : [current()].filter(Boolean));

function decide(kind, clips, how = {}, onward = false) {
  busy = busy.then(() => decideNow(kind, clips, how, onward));
  return busy;
}

async function decideNow(kind, clips, how, onward) {
  const named = new Set(clips.map((clip) => clip.key));
  const next = onward ? list.clips.slice(list.at).find((clip) => !named.has(clip.key))?.key : undefined;
  const versions = Object.fromEntries(clips.map((clip) => [clip.key, clip.version]));
  try {
    const answer = await server.post("api/decide", { kind, clips: versions, ...how }, onWaiting);
    take(answer);
    takeStatus(answer);
    say("");
    list.picked.clear();
    refilter(onward ? next : answer.added.length ? answer.added[0][0] : undefined);
    return true;
  } catch (error) {
    await refuse(error, how);
    return false;
  }
}

async function refuse(error, how = {}) {
  if (error.status === 409) {
    const now = error.now.map((clip) => `${clip.state}, “${clip.goal || "no goal"}”`).join("; ");
    await poll();
    say(`Not saved: ${error.message}${now ? ` (now: ${now})` : ""}.${how.goal ? ` You typed “${how.goal}”.` : ""} Look at it and decide again.`);
    document.body.dataset.conflict = "yes";
  } else say(error.message);
}

function accept() {
  const clips = targets();
  if (clips.some((clip) => !clip.goal)) return beginEdit();
  return decide("accept", clips, {}, true);
}

async function undo() {
  busy = busy.then(async () => {
    try {
      const answer = await server.post("api/undo", { head }, onWaiting);
      take(answer);
      takeStatus(answer);
      say(`${answer.what}: ${answer.added.length} ${answer.added.length === 1 ? "clip" : "clips"}`);
      const key = answer.added[0]?.[0];
      if (key && !all.filter(filters.chosen()).some((clip) => clip.key === key)) at("filter-state").value = "";
      refilter(key);
    } catch (error) { await refuse(error); }
  });
}

function join() {
  const picked = targets(), clip = current();
  const clips = picked.length > 1 ? picked : [clip, all[all.indexOf(clip) + 1]].filter(Boolean);
  return decide("join", clips);
}

const playRow = () => current().start + player.offset;

// ---- editing a goal; of many clips at once, or of a goal wherever it is

function beginEdit(rename = null) {
  const clip = current(), clips = rename ? all.filter((each) => each.goal === rename) : targets();
  if (!clip || !clips.length) return;
  const draft = readDraft();
  editing = { key: clip.key, clips, rename };
  at("edit").hidden = false;
  at("goal").hidden = true;
  at("edit-goal").value = draft?.key === clip.key && !rename ? draft.text : rename || clip.goal;
  at("edit-note").textContent = rename
    ? `renames this goal in ${clips.length} clips; Enter saves, Esc leaves it`
    : `${clips.length > 1 ? `of ${clips.length} clips; ` : ""}2 to 6 words; Enter saves, Esc leaves it`;
  at("known-goals").replaceChildren(...knownGoals().map((goal) => new Option(goal, goal)));
  at("edit-goal").focus();
  at("edit-goal").select();
}

function knownGoals() {
  const counts = new Map();
  for (const { goal } of all) if (goal) counts.set(goal, (counts.get(goal) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 200).map(([goal]) => goal);
}

function endEdit() {
  editing = null;
  at("edit").hidden = true;
  at("goal").hidden = false;
  at("edit-goal").blur();
}

async function saveEdit() {
  const { clips, rename, key } = editing, goal = at("edit-goal").value;
  const saved = await (rename ? decide("rename", [], { old: rename, goal }) : decide("edit", clips, { goal }, true));
  if (saved) {
    localStorage.removeItem(DRAFT);
    if (editing?.key === key) endEdit();
  }
}

function readDraft() {
  try { return JSON.parse(localStorage.getItem(DRAFT)); } catch { return null; }
}

// ---- selecting more than one

function pick(clips, on = true) {
  for (const clip of clips) list.picked[on ? "add" : "delete"](clip.key);
  refilter(current()?.key);
}

function extend(by) {
  pick([current()].filter(Boolean));
  select(list.at + by);
  pick([current()].filter(Boolean));
}

function pickEpisode() {
  const clip = current();
  if (clip) pick(all.filter((each) => each.session === clip.session && each.take === clip.take && each.state !== "deleted"));
}

// ---- audit

async function beginAudit() {
  const seed = Number(new URLSearchParams(location.search).get("seed") || 0);
  try {
    audit = await server.post("api/audit", { seed, labeler: filters.labeler() || null }, onWaiting);
  } catch (error) { return say(error.message); }
  list.picked.clear();
  const open = audit.drawn.findIndex(([key]) => !(key in audit.verdicts));
  refilter(audit.drawn[Math.max(0, open)][0]);
}

function drawAudit(clip) {
  at("audit").hidden = !audit;
  if (!audit) return;
  const { n, k, rate, low, high } = audit.result, verdict = clip && audit.verdicts[clip.key];
  const said = verdict === undefined ? "Is this goal right?" : `You said: ${verdict ? "right" : "wrong"}.`;
  const share = n ? ` So far ${k} of ${n} right: ${percent(rate)} (95% interval ${percent(low)} to ${percent(high)}).` : "";
  at("audit").textContent = `Audit, ${n} of ${audit.drawn.length} judged. ${said}${share}`;
}

async function judge(right) {
  const clip = current();
  if (!clip) return;
  try {
    audit = await server.post("api/verdict", { audit: audit.audit, clip: clip.key, right }, onWaiting);
  } catch (error) { return say(error.message); }
  const { n, k, rate, low, high } = audit.result;
  if (n < audit.drawn.length) return select(list.at + 1);
  const whose = audit.labeler ? ` of ${audit.labeler}` : "";
  tell("Label accuracy", `${k} of ${n} labels${whose} are right: ${percent(rate)}.\n95% Wilson interval: ${percent(low)} to ${percent(high)}.\nDrawn from ${audit.of} clips with seed ${audit.seed}.`);
  endAudit();
}

function endAudit() {
  audit = null;
  refilter(current()?.key);
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;

function tell(title, text) {
  at("message-title").textContent = title;
  at("message-text").textContent = text;
  at("message").showModal();
}

// ---- keys

const KEYS = [
  ["j, ↓", "next clip", ["j", "ArrowDown"], () => select(list.at + 1)],
  ["k, ↑", "previous clip", ["k", "ArrowUp"], () => select(list.at - 1)],
  ["PgUp PgDn", "ten clips", ["PageDown"], () => select(list.at + 10)],
  ["", "", ["PageUp"], () => select(list.at - 10)],
  ["Home End", "first, last clip", ["Home"], () => select(0)],
  ["", "", ["End"], () => select(list.clips.length - 1)],
  ["Space", "pause, play", [" "], () => player.toggle()],
  ["← →", "a frame back, on", ["ArrowRight"], () => player.step(1)],
  ["", "", ["ArrowLeft"], () => player.step(-1)],
  ["Enter, a", "accept, and on", ["Enter", "a"], accept],
  ["e", "edit the goal", ["e"], () => beginEdit()],
  ["r", "reject: nothing is trained on it", ["r"], () => decide("reject", targets(), {}, true)],
  ["c", "its goal was reached, or was not", ["c"], () => decide("complete", targets(), { completed: !current()?.completed })],
  ["s", "split before the frame shown", ["s"], () => decide("split", [current()], { row: playRow() })],
  ["m", "join with the next, or the selected", ["m"], join],
  ["[", "trim: begin at the frame shown", ["["], () => decide("trim", [current()], { start: playRow() })],
  ["]", "trim: end with the frame shown", ["]"], () => decide("trim", [current()], { stop: playRow() + 1 })],
  ["Del", "delete", ["Delete"], () => decide("delete", targets(), {}, true)],
  ["u", "undo, as often as you like", ["u"], undo],
  ["g", "rename this goal in all clips", ["g"], () => current()?.goal && beginEdit(current().goal)],
  ["v", "select, or not", ["v"], () => current() && pick([current()], !list.picked.has(current().key))],
  ["Shift ↑ ↓", "select more", ["Shift+ArrowDown"], () => extend(1)],
  ["", "", ["Shift+ArrowUp"], () => extend(-1)],
  ["E", "select the episode (its take)", ["E"], pickEpisode],
  ["A", "select all that are listed", ["A"], () => pick(list.clips)],
  ["/", "filter by goal or session", ["/"], () => at("filter-goal").focus()],
  ["f", "filter by state: the next one", ["f"], () => { filters.cycleState(); refilter(undefined, 0); }],
  ["l", "filter by labeler", ["l"], () => at("filter-labeler").focus()],
  ["o", "filter by confidence", ["o"], () => at("filter-confidence").focus()],
  ["p", "audit: judge 50 clips drawn by chance", ["p"], beginAudit],
  ["?", "this help", ["?"], () => at("help").showModal()],
];
const ACTIONS = new Map(KEYS.flatMap(([, , keys, action]) => keys.map((key) => [key, action])));
const AUDIT_ACTIONS = new Map([["y", () => judge(true)], ["n", () => judge(false)]]);
const ALSO_IN_AUDIT = new Set(["j", "k", "ArrowDown", "ArrowUp", " ", "ArrowLeft", "ArrowRight", "?"]);

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target.closest?.("input, select");
  if (event.key === "Escape") {
    if (editing) endEdit();
    else if (field) field.blur();
    else if (audit) endAudit();
    else { list.picked.clear(); say(""); refilter(current()?.key); }
    return;
  }
  if (field) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (field.id === "edit-goal") saveEdit();
    else field.blur();
    return;
  }
  const name = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
  const action = audit ? AUDIT_ACTIONS.get(name) || (ALSO_IN_AUDIT.has(name) && ACTIONS.get(name)) : ACTIONS.get(name);
  if (!action) return;
  event.preventDefault();
  delete document.body.dataset.conflict;
  action();
}

document.addEventListener("keydown", onKey);
at("filters").addEventListener("input", () => refilter(undefined, 0));
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("edit").addEventListener("submit", (event) => event.preventDefault());
at("edit-goal").addEventListener("input", () => {
  if (editing && !editing.rename) localStorage.setItem(DRAFT, JSON.stringify({ key: editing.key, text: at("edit-goal").value }));
});
at("help-keys").replaceChildren(...KEYS.filter(([shown]) => shown).map(([shown, text]) => {
  const line = element("p"), keys = element("span");
  for (const key of shown.split(/,? /)) keys.append(element("kbd", "", key), " ");
  line.append(keys, text);
  return line;
}));
start().catch((error) => say(error.message));
