// Keeps an open page up to date. The daemon says what happened (server-sent events); the parts that it concerns are
// fetched again, as it renders them, and changed in place. Where events cannot be had, the page is fetched now and then.
import {localise, clock} from "./times.js";
import {morph} from "./morph.js";

const SOON = 400; // ms: what happens together is shown together
const MANY = 6; // parts; more of them are fetched less often
const LATER = 2500;
const SLOWLY = 15000; // without events
const ANYWAY = 60000; // with events, for what no event tells: what is late, what is stale
const AGAIN = 30000; // until events are tried again after a refusal
const EVENTS = ["health", "outcome", "drill", "verdict", "alert", "refresh"];

const state = {source: null, last: "", dirty: new Set(), all: false, timer: 0, lost: null, streams: false, said: []};

// Which parts an event concerns, by the words of data-on="health:chat outcome:chat verdict".
let index = null;
function partsOf(name, data) {
  if (!index) {
    index = new Map();
    for (const part of document.querySelectorAll("[data-part]")) {
      for (const word of part.dataset.on.split(" ")) index.set(word, [...(index.get(word) ?? []), part.id]);
    }
  }
  return [name, `${name}:${data.chain}`, `${name}:${data.run}`].flatMap((word) => index.get(word) ?? []);
}

function show(mode) {
  const place = document.getElementById("live");
  place.hidden = false;
  place.className = `live ${mode}`;
  place.textContent = {stream: "live", poll: `every ${SLOWLY / 1000} s`, lost: "not live"}[mode];
  document.getElementById("lost").hidden = mode !== "lost";
}

function answered() {
  state.lost = null;
  show(state.streams ? "stream" : "poll");
}

function unanswered() {
  if (state.lost) return;
  state.lost = new Date();
  const since = document.getElementById("lost-since");
  since.dateTime = state.lost.toISOString();
  since.title = `${since.dateTime.slice(0, 19).replace("T", " ")} UTC`;
  since.textContent = clock(state.lost);
  show("lost");
}

function announce(text) {
  state.said.push(text);
  if (state.said.length > 1) return;
  setTimeout(() => { document.getElementById("announce").textContent = state.said.splice(0).slice(-5).join(". "); }, 1000);
}

function apply(page, whole) {
  if (page.body.dataset.version && page.body.dataset.version !== document.body.dataset.version) return location.reload();
  const chosen = getSelection();
  const busy = chosen.isCollapsed ? null : chosen.anchorNode;
  if (whole) {
    const main = document.getElementById("main");
    if (main.contains(busy)) return;
    morph(main, page.getElementById("main"));
    document.title = page.title;
    index = null;
    return localise(main);
  }
  const titled = page.querySelector("[data-title]");
  if (titled) document.title = titled.dataset.title;
  for (const fresh of page.querySelectorAll("[data-part]")) {
    const part = document.getElementById(fresh.id);
    if (!part) {
      state.all = true;
    } else if (!part.contains(busy)) {
      morph(part, fresh);
      localise(document.getElementById(fresh.id));
    }
  }
}

// Fetches what is dirty. Returns whether the daemon answered.
async function refresh() {
  const whole = state.all || state.dirty.size > 40;
  const place = new URL(location.pathname, location.origin);
  if (!whole) for (const id of state.dirty) place.searchParams.append("parts", id);
  state.dirty.clear();
  state.all = false;
  try {
    const answer = await fetch(place, {headers: {accept: "text/html"}});
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    apply(new DOMParser().parseFromString(await answer.text(), "text/html"), whole);
    answered();
  } catch {
    state.all = true;
    unanswered();
  }
}

function later() {
  if (state.timer) return;
  const pause = state.lost ? LATER : state.dirty.size > MANY ? LATER : SOON;
  state.timer = setTimeout(async () => {
    if (!document.hidden) await refresh();
    state.timer = 0;
    if (!document.hidden && (state.dirty.size || state.all)) later();
  }, pause);
}

function everything() {
  state.all = true;
  later();
}

function heard(name, event) {
  state.last = event.lastEventId || state.last;
  const data = JSON.parse(event.data);
  if (name === "refresh") return everything();
  if (name === "health" && !data.target) announce(`${data.chain} is ${data.after}`);
  if (name === "verdict") announce(`Drill ${data.drill} ${data.verdict}`);
  for (const id of partsOf(name, data)) state.dirty.add(id);
  if (state.dirty.size) later();
  document.dispatchEvent(new CustomEvent("fallbackd:heard", {detail: {name, data}}));
}

function listen() {
  if (state.source || document.hidden) return;
  const source = new EventSource(`/api/v1/events?after=${encodeURIComponent(state.last)}`);
  state.source = source;
  source.onopen = () => {
    state.streams = true;
    if (state.lost) everything();
    else answered();
  };
  source.onerror = () => {
    state.streams = false;
    everything(); // tells whether the daemon is gone, or only its events are
    if (source.readyState !== EventSource.CLOSED) return;
    leave();
    setTimeout(listen, AGAIN);
  };
  for (const name of EVENTS) source.addEventListener(name, (event) => heard(name, event));
}

function leave() {
  state.source?.close();
  state.source = null;
}

export function follow({live, lastEvent}) {
  if (live === "off") return;
  state.last = lastEvent;
  show("poll");
  if (live === "stream") listen();
  let beats = 0;
  setInterval(() => {
    beats += 1;
    if (!document.hidden && (!state.streams || beats % (ANYWAY / SLOWLY) === 0)) everything();
  }, SLOWLY);
  // A browser has six connections to a host for all tabs, so a tab that nobody sees holds none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave();
    everything();
    if (live === "stream") listen();
  });
}
