// Names and roles that the theme leaves out, for people who hear the page.
"use strict";

/* A part of the menu is called by the way to it, so that no two have one name. */
function way(menu) {
  const names = [];
  for (let one = menu; one; one = one.parentElement.closest("nav.md-nav")) {
    const head = one.querySelector(":scope > .md-nav__title");
    if (head) names.unshift(head.textContent.trim());
  }
  return names.join(", ");
}

function mend(root) {
  // A row of copy buttons is no landmark of the page.
  root.querySelectorAll("nav.md-code__nav:not([role])").forEach((one) => one.setAttribute("role", "none"));
  // What scrolls can be scrolled with keys.
  root.querySelectorAll(":is(.md-typeset__scrollwrap, table.run-locks):not([tabindex])").forEach((one) => {
    if (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight) one.tabIndex = 0;
  });
  root.querySelectorAll("[role=dialog]:not([aria-label])").forEach((one) => one.setAttribute("aria-label", "Search"));
}

/* What is folded around a place opens when somebody goes there. */
function open(place) {
  const folded = [];
  for (let one = place?.closest("details:not([open])"); one; one = one.parentElement.closest("details:not([open])")) {
    folded.push(one);
  }
  folded.forEach((one) => { one.open = true; });
  return folded.length > 0;
}

function goTo(anchor) {
  const place = document.getElementById(anchor.slice(1).split("&")[0]);
  if (open(place)) place.scrollIntoView();
}

/* On a phone the sections of a page of more than this many screens are folded: its headings are its contents. */
const SCREENS = 15;

function foldSections() {
  const long = document.documentElement.scrollHeight > SCREENS * innerHeight;
  if (!long || !matchMedia("(max-width: 44.984375em)").matches) return;
  document.querySelectorAll("article > h2").forEach((head) => {
    const section = document.createElement("details");
    section.className = "fold-section";
    const summary = document.createElement("summary");
    head.before(section);
    while (section.nextSibling && (section.nextSibling === head || section.nextSibling.nodeName !== "H2")) {
      section.append(section.nextSibling);
    }
    summary.append(head);
    section.prepend(summary);
  });
}

document.querySelectorAll("nav.md-nav[aria-labelledby]").forEach((menu) => {
  menu.setAttribute("aria-label", way(menu));
  menu.removeAttribute("aria-labelledby");
});
mend(document);
foldSections();
goTo(location.hash);
addEventListener("hashchange", () => goTo(location.hash));
// The theme adds the buttons of a block when it is seen.
new MutationObserver((changes) => {
  for (const change of changes) if (change.addedNodes.length) mend(change.target);
}).observe(document.body, { childList: true, subtree: true });
// What is folded cannot be opened on paper.
addEventListener("beforeprint", () => document.querySelectorAll("article details").forEach((one) => { one.open = true; }));
