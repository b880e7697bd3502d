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
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
  });
  root.querySelectorAll("[role=dialog]:not([aria-label])").forEach((one) => one.setAttribute("aria-label", "Search"));
}

document.querySelectorAll("nav.md-nav[aria-labelledby]").forEach((menu) => {
  menu.setAttribute("aria-label", way(menu));
  menu.removeAttribute("aria-labelledby");
});
mend(document);
// The theme adds the buttons of a block when it is seen.
new MutationObserver((changes) => {
  for (const change of changes) if (change.addedNodes.length) mend(change.target);
}).observe(document.body, { childList: true, subtree: true });
// What is folded cannot be opened on paper.
addEventListener("beforeprint", () => document.querySelectorAll("article details").forEach((one) => { one.open = true; }));
