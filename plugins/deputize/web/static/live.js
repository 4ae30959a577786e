// Keeps a page true while somebody looks at it: asks for it again, and gives what has come to
// who knows how to bring it in. Stops where they have signed out, or somebody else has signed in.

const EVERY = 5_000; // milliseconds
const AT_MOST = 300_000; // while the server can't be asked
const PATIENCE = 30_000;

const news = document.getElementById("news");

let tag = "";
let wait = EVERY;
let timer = 0;
let isAsking = false;
let isStopped = false;

export function keepTrue(take) {
  const askAndPlan = () => askAndPlanWith(take);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else askAndPlan();
  });
  plan(askAndPlan);
}

export function say(words) {
  if (words) news.textContent = words;
}

async function askAndPlanWith(take) {
  if (isAsking || isStopped) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    await ask(take);
    wait = EVERY;
  } catch {
    wait = Math.min(2 * wait, AT_MOST);
  }
  isAsking = false;
  plan(() => askAndPlanWith(take));
}

function plan(askAndPlan) {
  clearTimeout(timer);
  if (!document.hidden && !isStopped) timer = setTimeout(askAndPlan, wait);
}

async function ask(take) {
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
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (whoseIs(page) !== whoseIs(document)) {
    stop("Somebody else has signed in. Load this page again to go on.");
    return;
  }
  take(page);
  tag = answer.headers.get("ETag") ?? "";
}

function whoseIs(page) {
  return page.querySelector("[data-whose]").dataset.whose;
}

function stop(words) {
  isStopped = true;
  news.className = "problem";
  news.textContent = words;
}
