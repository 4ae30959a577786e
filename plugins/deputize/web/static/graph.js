// Keeps the graph true while somebody looks at it, and lets arrow keys walk it: left to who handed
// over, right to whom, up and down among the rows. Tab and Enter work without it.

import { keepTrue, say } from "./live.js";

const STEPS = { ArrowLeft: before, ArrowRight: after, ArrowUp: above, ArrowDown: below };

function take(page) {
  let isChanged = false;
  for (const id of ["chosen", "drawing"]) {
    const [now, coming] = [document.getElementById(id), page.getElementById(id)];
    if (isInUse(now)) renewForm(now, coming);
    else isChanged = replace(now, coming) || isChanged;
  }
  if (isChanged) say("What is drawn has changed.");
}

// What somebody is about to press stays under their hand.
function isInUse(part) {
  return part.id === "chosen" && part.matches(":hover, :focus-within");
}

function renewForm(now, coming) {
  const [form, next] = [now.querySelector("form"), coming.querySelector("form")];
  if (form && next) form.elements[0].value = next.elements[0].value;
}

function replace(now, coming) {
  // The token against forgery is written otherwise each time: it is no news, and kept fresh.
  renewForm(now, coming);
  if (now.isEqualNode(coming)) return false;
  const focused = now.contains(document.activeElement) ? document.activeElement.id : "";
  const canvas = now.querySelector(".canvas");
  const place = canvas && [canvas.scrollLeft, canvas.scrollTop];
  now.replaceChildren(...coming.childNodes);
  if (place) now.querySelector(".canvas")?.scrollTo(...place);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return true;
}

function walk(event) {
  const step = STEPS[event.key];
  const spot = event.target.closest?.("a.spot");
  if (!step || !spot || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const spots = [...document.querySelectorAll("a.spot")];
  step(spots, spots.indexOf(spot))?.focus();
}

const levelOf = (spot) => Number(spot.dataset.level);

function before(spots, at) {
  return spots.slice(0, at).findLast((spot) => levelOf(spot) < levelOf(spots[at]));
}

function after(spots, at) {
  const next = spots[at + 1];
  return next && levelOf(next) > levelOf(spots[at]) ? next : undefined;
}

function above(spots, at) {
  return spots.slice(0, at).findLast((spot) => levelOf(spot) === levelOf(spots[at]));
}

function below(spots, at) {
  return spots.slice(at + 1).find((spot) => levelOf(spot) === levelOf(spots[at]));
}

document.addEventListener("keydown", walk);
keepTrue(take);
