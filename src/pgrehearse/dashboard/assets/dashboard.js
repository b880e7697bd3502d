// Looks for a newer page and puts it in place of what is shown. Without this script the page reloads itself.
"use strict";

const every = Number(document.documentElement.dataset.every) * 1000;
const lost = document.getElementById("lost");
let known = null;

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const text = await answer.text();
    lost.hidden = true;
    document.body.classList.remove("old");
    if (text !== known) show(text);
    known = text;
  } catch (error) {
    // What is on the screen may not be so any more, and must not look as if it were.
    if (lost.hidden) lost.textContent = `The dashboard does not answer since ${new Date().toISOString().slice(0, 19)} UTC: ${error.message}`;
    lost.hidden = false;
    document.body.classList.add("old");
    document.title = "Status: unknown";
  }
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = document.getElementById("main");
  const focused = main.contains(document.activeElement) ? [...main.querySelectorAll("a, [tabindex]")].indexOf(document.activeElement) : -1;
  const places = [...main.querySelectorAll(".wide")].map((one) => one.scrollLeft);
  main.replaceChildren(...page.getElementById("main").childNodes);
  main.querySelectorAll(".wide").forEach((one, at) => { one.scrollLeft = places[at] || 0; });
  if (focused >= 0) main.querySelectorAll("a, [tabindex]")[focused]?.focus({ preventScroll: true });
  document.title = page.title;
}

setInterval(refresh, every);
