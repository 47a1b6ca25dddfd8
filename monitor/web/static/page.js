// What every page does: times as the reader's clock has them, questions before something is done, and being kept up to
// date. Every page can be read, and everything on it done, without this.
import {follow} from "./live.js";
import {askFirst} from "./asking.js";
import {keepTime, localise} from "./times.js";

document.querySelector("[data-zone]").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
localise(document);
keepTime();
askFirst(document.getElementById("ask"));
follow(document.body.dataset);
