// Shows times as the reader's clock has them, and fetches the page's parts again. Everything works without it.
"use strict";

const EVERY = 5000;
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function ago(at) {
  const away = Math.round(Math.abs(Date.now() - at) / 1000);
  const [unit, name] = SPANS.find(([span]) => away >= 2 * span) || [1, "s"];
  const text = `${Math.floor(away / unit)} ${name}`;
  return at > Date.now() + 500 ? `in ${text}` : `${text} ago`;
}

function localise(root) {
  for (const element of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(element.dateTime);
    const pad = (number) => String(number).padStart(2, "0");
    const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
    const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
    const part = document.createElement("span");
    part.className = "day";
    part.textContent = day;
    element.replaceChildren(part, ` ${time}`);
  }
}

function tick() {
  for (const element of document.querySelectorAll("time[data-ago]")) {
    element.textContent = ago(Date.parse(element.dateTime));
  }
}

// An open panel stays open, and what has the focus keeps it.
function replace(part, fresh) {
  const open = [...part.querySelectorAll("details[open][id]")].map((details) => details.id);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus({preventScroll: true});
}

async function refresh() {
  const place = document.querySelector("[data-refresh]");
  if (!place || document.hidden) return;
  const lost = document.querySelector("[data-lost]");
  try {
    const answer = await fetch(place.dataset.refresh, {headers: {accept: "text/html"}});
    if (!answer.ok) throw new Error(answer.statusText);
    if (answer.redirected) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-part]")) {
      const part = document.getElementById(fresh.id);
      if (part && !part.contains(getSelection().isCollapsed ? null : getSelection().anchorNode)) {
        replace(part, fresh);
        localise(fresh);
      }
    }
    document.title = page.title;
    lost.hidden = true;
    tick();
  } catch {
    lost.hidden = false;
  }
}

document.querySelector("[data-zone]").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
localise(document);
tick();
setInterval(tick, 1000);
setInterval(refresh, EVERY);
