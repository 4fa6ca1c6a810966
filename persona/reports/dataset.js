"use strict";
// What a mark of the map asks, as text below it: a finger cannot hover.
const map = document.querySelector(".map"), said = document.querySelector(".pointed");
let on = null;
function point(event) {
  const mark = event.target.closest("use");
  if (!mark || mark === on) return;
  if (on) on.classList.remove("on");
  on = mark;
  on.classList.add("on");
  said.textContent = mark.querySelector("title").textContent;
}
if (map) for (const kind of ["pointerover", "click"]) map.addEventListener(kind, point);
// Paper cannot be unfolded.
const folded = () => document.querySelectorAll("details:not([open])");
addEventListener("beforeprint", () => folded().forEach((one) => { one.open = true; one.dataset.folded = ""; }));
addEventListener("afterprint", () => document.querySelectorAll("[data-folded]").forEach((one) => { one.open = false; delete one.dataset.folded; }));
