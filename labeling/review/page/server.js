// Talks to the server. What is decided goes to an outbox first and leaves it when the server has saved it, so that it
// outlives this page and a server that is away; the server never saves one of them twice.

const OUTBOX = "gameenv-review-outbox";

export class Refused extends Error {
  constructor(status, answer) {
    super(answer.error || `the server answered ${status}`);
    this.status = status;
    this.now = answer.now ? answer.now.map((row) => readRow(row, answer.columns)) : [];
  }
}

export function readRow(row, columns) {
  return Object.fromEntries(columns.map((name, index) => [name, row[index]]));
}

export async function get(path, words = {}) {
  const response = await fetch(`${path}?${new URLSearchParams(words)}`);
  return answerOf(response);
}

async function answerOf(response) {
  const text = await response.text();
  let answer;
  try { answer = JSON.parse(text); } catch { answer = { error: text.trim() }; }
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

export const outbox = {
  read() {
    try { return JSON.parse(localStorage.getItem(OUTBOX)) || []; } catch { return []; }
  },
  write(entries) { localStorage.setItem(OUTBOX, JSON.stringify(entries)); },
};

// Saves one thing. onWaiting is told while the server does not answer; it is tried until it does.
export async function post(path, said, onWaiting = () => {}) {
  const entry = { path, said: { ...said, request: crypto.randomUUID ? crypto.randomUUID() : randomName() } };
  outbox.write([...outbox.read(), entry]);
  return send(entry, onWaiting);
}

async function send(entry, onWaiting) {
  for (let pause = 250; ; pause = Math.min(2 * pause, 4000)) {
    let response;
    try {
      response = await fetch(entry.path, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(entry.said),
      });
    } catch {
      onWaiting(true);
      await new Promise((resolve) => setTimeout(resolve, pause));
      continue;
    }
    onWaiting(false);
    if (response.status === 403) throw new Refused(403, { error: "the server was started anew: open the link that it printed. What you decided last is kept and saved then." });
    outbox.write(outbox.read().filter((each) => each.said.request !== entry.said.request));
    return answerOf(response);
  }
}

// What an earlier page could not save.
export async function sendRest(onWaiting, onRefused) {
  for (const entry of outbox.read()) {
    try { await send(entry, onWaiting); } catch (error) { onRefused(error); }
  }
}

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
