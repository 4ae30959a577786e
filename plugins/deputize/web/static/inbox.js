// Keeps the inbox true while somebody looks at it: asks for this page again and brings in what
// has changed. A card that somebody is in the middle of keeps its place and what it holds.
import { keepTrue, say } from "./live.js";

const inbox = document.getElementById("inbox");
const gone = document.getElementById("gone").content;

function take(page) {
  const told = [];
  const both = (id) => [document.getElementById(id), page.getElementById(id)];
  keepingItsPlace(() => {
    for (const card of inbox.querySelectorAll(".deciding")) told.push(renew(...both(card.id)));
    told.push(...add(...both("asked")), ...add(...both("seconds")));
    for (const id of ["tasks", "past"]) replaceWhole(...both(id));
  });
  document.title = page.title;
  say(told.filter(Boolean).join(" "));
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

document.addEventListener("submit", (event) => {
  if (isOver(event.target)) event.preventDefault();
});
keepTrue(take);
