// Times in the reader's zone. The server writes UTC, and it stays in the tip.
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const pad = (number) => String(number).padStart(2, "0");

export const clock = (at) => `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
const minute = (at) => `${pad(at.getHours())}:${pad(at.getMinutes())}`;
const date = (at) => `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
const day = (at) => (at.toDateString() === new Date().toDateString() ? "" : "yesterday "); // a strip is of one day

function ago(at, now) {
  const away = Math.round(Math.abs(now - at) / 1000);
  const [unit, name] = SPANS.find(([span]) => away >= 2 * span) || [1, "s"];
  const text = `${Math.floor(away / unit)} ${name}`;
  return at > now + 500 ? `in ${text}` : `${text} ago`;
}

// Only what changed is written: a thousand times on a page must cost nothing while nothing changes.
function tick(root) {
  const now = Date.now();
  for (const element of root.querySelectorAll("time[data-ago]")) {
    const text = ago(Date.parse(element.dateTime), now);
    if (element.firstChild?.data !== text) element.textContent = text;
  }
}

export function localise(root) {
  for (const element of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(element.dateTime);
    const day = document.createElement("span");
    day.className = "day";
    day.textContent = date(at);
    element.replaceChildren(day, ` ${clock(at)}`);
  }
  for (const element of root.querySelectorAll("time[data-moment]")) {
    const at = new Date(element.dateTime);
    const {moment} = element.dataset;
    const text = moment === "minute" ? minute(at) : clock(at);
    const dayless = moment !== "whole" || at.toDateString() === new Date().toDateString();
    element.textContent = dayless ? text : `${date(at)} ${text}`;
  }
  for (const tip of root.querySelectorAll("title[data-from]")) {
    const {from, to, text} = tip.dataset;
    const [begun, ended] = [new Date(from), new Date(to)];
    tip.textContent = `${day(begun)}${minute(begun)} to ${day(ended)}${minute(ended)}: ${text}`;
  }
  tick(root);
}

export function keepTime() {
  setInterval(() => { if (!document.hidden) tick(document); }, 1000);
}
