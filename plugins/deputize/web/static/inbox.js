// Keeps the inbox true while somebody looks at it: asks for this page again and brings in what
// has changed. A card that somebody is in the middle of keeps its place and what it holds.
"use strict";

const EVERY = 5_000; // milliseconds
const AT_MOST = 300_000; // while the server can't be asked
const PATIENCE = 30_000;

const inbox = document.getElementById("inbox");
const news = document.getElementById("news");
const gone = document.getElementById("gone").content;

let tag = "";
let wait = EVERY;
let timer = 0;
let isAsking = false;
let isStopped = false;

async function ask() {
  const answer = await fetch(location.href, {
    cache: "no-store",
    headers: { Accept: "text/html", ...(tag && { "If-None-Match": tag }) },
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (answer.status === 304) return;
  if (answer.type === "opaqueredirect" || answer.status === 401) {
    stop("You are signed out. Load this page again to go on.");
    return;
  }
  if (!answer.ok) throw new Error(answer.statusText);
  take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  tag = answer.headers.get("ETag") ?? "";
}

function stop(words) {
  isStopped = true;
  news.className = "problem";
  news.textContent = words;
}

function take(page) {
  if (page.getElementById("inbox").dataset.whose !== inbox.dataset.whose) {
    stop("Somebody else has signed in. Load this page again to go on.");
    return;
  }
  const told = [];
  const both = (id) => [document.getElementById(id), page.getElementById(id)];
  keepingItsPlace(() => {
    for (const card of inbox.querySelectorAll(".deciding")) told.push(renew(...both(card.id)));
    told.push(...add(...both("asked")), ...add(...both("seconds")));
    for (const id of ["ends", "past"]) replaceWhole(...both(id));
  });
  document.title = page.title;
  const words = told.filter(Boolean).join(" ");
  if (words) news.textContent = words;
}

// Nothing moves under the finger: what is above may grow.
function keepingItsPlace(change) {
  const held = [...inbox.querySelectorAll(".card")].find(isInUse);
  const before = held?.getBoundingClientRect().top;
  change();
  if (held?.isConnected) scrollBy(0, held.getBoundingClientRect().top - before);
}

// Each of these returns what is said of it, where somebody can't see it.
function renew(card, now) {
  if (!now?.matches(".deciding")) return end(card, now);
  const isSame = card.elements.shown.value === now.elements.shown.value;
  // The first field says whose session the form is of: they may have signed in anew meanwhile.
  card.elements[0].value = now.elements[0].value;
  if (isSame) tellStateOf(card, now);
  if (isInUse(card) && !isOver(card)) return isSame ? "" : note(card);
  if (!card.isEqualNode(now)) card.replaceWith(now);
  return "";
}

function note(card) {
  const changed = card.querySelector(".changed");
  const isNew = changed.hidden;
  changed.hidden = false;
  return isNew ? `${titleOf(card)}: ${changed.textContent}` : "";
}

function end(card, now) {
  const isNew = !isOver(card);
  if (now || isNew) tellStateOf(card, now ?? gone);
  card.dataset.over = "";
  card.querySelector(".changed").hidden = true;
  // Not `disabled`, which would take the focus away from who is there.
  for (const press of card.querySelectorAll("button")) press.setAttribute("aria-disabled", "true");
  return isNew ? `${titleOf(card)}: ${card.querySelector(".why").textContent}.` : "";
}

function tellStateOf(card, now) {
  for (const part of [".state", ".why"]) {
    card.querySelector(part).replaceWith(document.importNode(now.querySelector(part), true));
  }
}

function titleOf(card) {
  return card.querySelector("h2").textContent;
}

function isOver(card) {
  return "over" in card.dataset;
}

function isInUse(card) {
  const fields = [...card.querySelectorAll("input:not([type=hidden]), option")];
  return card.matches(":hover, :focus-within") || fields.some(isChanged);
}

function isChanged(field) {
  if (field.matches("option")) return field.selected !== field.defaultSelected;
  return field.checked !== field.defaultChecked || field.value !== field.defaultValue;
}

function add(place, coming) {
  const isNew = (card) => !document.getElementById(card.id);
  const cards = [...coming.querySelectorAll(".deciding")].filter(isNew);
  const last = [...place.querySelectorAll(".deciding")].at(-1);
  if (last) last.after(...cards);
  else if (cards.length) place.replaceChildren(...coming.childNodes);
  return cards.map((card) => `A new question: ${titleOf(card)}.`);
}

// A card that ended here stays where it is, so it is not told again below.
function replaceWhole(place, coming) {
  for (const card of coming.querySelectorAll(".card")) {
    if (document.getElementById(card.id)?.matches(".deciding")) card.remove();
  }
  for (const section of coming.querySelectorAll("section")) {
    if (!section.querySelector(".card")) section.remove();
  }
  if (place.matches(":focus-within") || place.isEqualNode(coming)) return;
  place.replaceChildren(...coming.childNodes);
}

async function askAndPlan() {
  if (isAsking || isStopped) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    await ask();
    wait = EVERY;
  } catch {
    wait = Math.min(2 * wait, AT_MOST);
  }
  isAsking = false;
  plan();
}

function plan() {
  clearTimeout(timer);
  if (!document.hidden && !isStopped) timer = setTimeout(askAndPlan, wait);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else askAndPlan();
});
document.addEventListener("submit", (event) => {
  if (isOver(event.target)) event.preventDefault();
});
plan();
